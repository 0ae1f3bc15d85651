"""Demonstrations read from every format they come in, and refused in one sentence that names the line."""

from __future__ import annotations

import json

import pytest

from playground.errors import BadInput
from playground.training.demonstrations import (
    MOST_DEMONSTRATIONS,
    SHIPPED,
    Demonstration,
    check_demonstration,
    columns_to_choose,
    guess_columns,
    read_demonstrations,
    shipped,
    write_demonstrations,
)

ONE = Demonstration("Hi?", "Ho.")


def jsonl(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    "data",
    [
        jsonl({"messages": [message("user", "Hi?"), message("assistant", "Ho.")]}),
        jsonl({"prompt": [message("user", "Hi?")], "completion": [message("assistant", "Ho.")]}),
        jsonl({"prompt": "Hi?", "completion": "Ho."}),
        jsonl({"instruction": "Hi?", "input": "", "output": "Ho."}),
        json.dumps([{"prompt": "Hi?", "response": "Ho."}]).encode(),
        b"Prompt,Response\nHi?,Ho.\n",
        b"question;answer\nHi?;Ho.\n",
    ],
    ids=[
        "messages",
        "prompt-completion messages",
        "prompt-completion",
        "alpaca",
        "json list",
        "csv",
        "csv by usual names",
    ],
)
def test_every_format_gives_the_same_row(data: bytes) -> None:
    assert read_demonstrations(data) == ((ONE,), ())


def test_columns_are_mapped_and_alpacas_input_follows_its_instruction() -> None:
    columns = {"prompt": "a", "response": "b", "system": "c"}
    assert read_demonstrations(b"a,b,c\nHi?,Ho.,Be kind\n", columns=columns)[0] == (
        Demonstration("Hi?", "Ho.", "Be kind"),
    )
    both = jsonl({"instruction": "Translate.", "input": "Hund", "output": "dog"})
    assert read_demonstrations(both)[0][0].prompt == "Translate.\n\nHund"


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        (b"id;frage;antwort\n1;Hi?;Ho.\n", ("id", "frage", "antwort")),
        (jsonl({"q": "Hi?", "answer": "Ho."}), ("q", "answer")),
        (b"question,answer\nHi?,Ho.\n", ()),
        (jsonl({"messages": []}), ()),
        (jsonl({"instruction": "Hi?", "input": "", "output": "Ho."}), ()),
        (b"alone\nHi?\n", ()),
        (b"", ()),
    ],
)
def test_columns_are_asked_for_where_their_names_do_not_say_it(data: bytes, columns: tuple[str, ...]) -> None:
    assert columns_to_choose(data) == columns


def test_columns_are_guessed_by_name_then_by_place() -> None:
    assert guess_columns(("id", "prompt", "text")) == {"prompt": "prompt", "response": "id"}
    assert guess_columns(("answer", "frage")) == {"prompt": "frage", "response": "answer"}
    assert guess_columns(("a", "b", "c")) == {"prompt": "a", "response": "b"}


def test_a_conversation_keeps_its_earlier_turns_and_comes_back_from_what_is_written() -> None:
    roles = ["system", "user", "assistant", "user", "assistant"]
    rows, _notes = read_demonstrations(jsonl({"messages": [message(role, f"{n}") for n, role in enumerate(roles)]}))
    assert rows == (Demonstration("3", "4", "0", ("1", "2")),)
    assert read_demonstrations(write_demonstrations(rows).encode())[0] == rows


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            jsonl({"messages": [message("user", "Hi"), message("user", "Hi"), message("assistant", "x")]}),
            "out of order",
        ),
        (jsonl({"messages": [message("assistant", "x")]}), "no user's message"),
        (jsonl({"messages": [message("user", "Hi")]}), "does not end with the assistant's"),
        (jsonl({"messages": [message("tool", "Hi")]}), "role 'tool'"),
        (jsonl({"messages": [{"role": "user", "content": [{"type": "image"}]}]}), "no text"),
        (jsonl({"messages": "Hi"}), "no list of messages"),
        (jsonl({"prompt": "Hi", "completion": [message("assistant", "x")]}), "two kinds"),
        (jsonl({"prompt": "Hi", "completion": " "}), "line 1 has an empty response"),
        (jsonl({"prompt": "", "completion": "x"}), "empty prompt"),
        (jsonl({"text": "Hi"}), "no demonstration"),
        (jsonl({"prompt": "Hi", "completion": "x" * 20_001}), "20,001 characters"),
        (b"", "empty"),
        (b"PK\x03\x04", "compressed"),
        (b"prompt,response\n", "no rows"),
        (
            jsonl(*({"prompt": f"{n}", "completion": "x"} for n in range(10_000))),
            f"more than {MOST_DEMONSTRATIONS:,} rows",
        ),
    ],
)
def test_what_cannot_be_taught_is_refused_in_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        read_demonstrations(data)
    assert str(refused.value).endswith(".") and "\n" not in str(refused.value)
    with pytest.raises(BadInput):
        check_demonstration(Demonstration("Hi", " "))


def test_repeated_rows_and_foreign_marks_are_said() -> None:
    _rows, notes = read_demonstrations(jsonl(*[{"prompt": "[INST] Hi [/INST]", "completion": "x"}] * 2))
    assert [note[:20] for note in notes] == ["1 of 2 rows are ther", "2 rows spell marks o"]


def test_the_shipped_sets_are_whole() -> None:
    for name, about in SHIPPED.items():
        rows = shipped(name)
        assert 15 <= len(rows) <= 40 and len({row.key for row in rows}) == len(rows) and about.endswith(".")
    assert all(json.loads(row.response).keys() == {"answer", "unit", "sure"} for row in shipped("format"))
    with pytest.raises(BadInput, match="tone, format, refusals"):
        shipped("rudeness")
