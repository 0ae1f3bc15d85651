"""Preference pairs in TRL's formats; ties, contradictions and what teaches nothing."""

from __future__ import annotations

import json

import pytest

from playground.errors import BadInput
from playground.training.pairs import Pair, check_pair, read_pairs, write_pairs
from playground.training.split import apart, duplicates, split

ONE = Pair("Hi?", "Ho.", "No.")


def jsonl(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def assistant(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


@pytest.mark.parametrize(
    "data",
    [
        jsonl({"prompt": "Hi?", "chosen": "Ho.", "rejected": "No."}),
        jsonl({"prompt": user("Hi?"), "chosen": assistant("Ho."), "rejected": assistant("No.")}),
        jsonl({"chosen": user("Hi?") + assistant("Ho."), "rejected": user("Hi?") + assistant("No.")}),
        b"prompt,chosen,rejected\nHi?,Ho.,No.\n",
    ],
)
def test_every_format_gives_the_same_pair(data: bytes) -> None:
    assert read_pairs(data) == ((ONE,), ())


def test_what_is_written_is_read_back() -> None:
    pairs = (ONE, Pair("Hi?", "a", "b", "Be kind", 0.5, ("x", "y")))
    assert read_pairs(write_pairs(pairs).encode())[0] == pairs


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (jsonl({"prompt": "Hi", "chosen": "x"}), "no rejected"),
        (jsonl({"chosen": "x", "rejected": "y"}), "no prompt"),
        (jsonl({"prompt": "Hi", "chosen": "", "rejected": "y"}), "empty response"),
        (jsonl({"prompt": "Hi", "chosen": "x", "rejected": " x "}), "All pairs are ties"),
        (jsonl({"chosen": user("A") + assistant("x"), "rejected": user("B") + assistant("y")}), "two prompts"),
        (jsonl({"prompt": "Hi", "chosen": assistant("x"), "rejected": "y"}), "mixed"),
        (jsonl({"prompt": "Hi", "chosen": "x", "rejected": "y", "margin": "much"}), "margin"),
        (jsonl(*({"prompt": f"{n}", "chosen": "x", "rejected": "y"} for n in range(10_000))), "more than 2,000"),
    ],
)
def test_what_teaches_nothing_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_pairs(data)
    with pytest.raises(BadInput):
        check_pair(Pair("Hi", "x", "x"))


def test_ties_and_contradictions_are_said() -> None:
    row = {"prompt": "Hi", "chosen": "x", "rejected": "y"}
    against = {"prompt": "Hi", "chosen": "y", "rejected": "x"}
    pairs, notes = read_pairs(jsonl(row, against, {"prompt": "Hi", "chosen": "x", "rejected": "x"}))
    assert len(pairs) == 2
    assert "1 of 3 pairs are ties" in notes[0] and "all of them, so nothing can be learnt" in notes[1]


def test_a_split_is_repeated_by_its_seed_and_keeps_equal_rows_together() -> None:
    rows = [Pair(f"{n % 10}", "x", "y") for n in range(20)]
    one = split(rows, 0.3, seed=4)
    assert one == split(rows, 0.3, seed=4) != split(rows, 0.3, seed=5)
    assert len(one.heldout) == 6 and not duplicates(one.train, one.heldout)
    assert len(one.train) + len(one.heldout) == 20 and "10 rows repeat others" in one.notes[0]


def test_no_held_out_and_rows_on_both_sides_are_said() -> None:
    rows = [Pair(f"{n}", "x", "y") for n in range(5)]
    assert split(rows, 0.5, 0).heldout == () and "too few" in split(rows, 0.5, 0).notes[0]
    assert "No row is held out" in split(rows * 3, 0.0, 0).notes[0]
    given = apart(rows, [Pair("3", " X ", "y"), Pair("new", "x", "y")])
    assert len(given.heldout) == 1 and "1 held-out rows are among those taught" in given.notes[0]
    assert duplicates(rows, [Pair("3", "X", "y")]) == ((3, 0),)
