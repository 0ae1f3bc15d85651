"""The built-in problems are sound, and an upload is read or refused in one sentence."""

from __future__ import annotations

import json

import pytest

from playground.bounded import close_children
from playground.errors import BadInput
from playground.testtime.problems import MOST_BYTES, MOST_PROBLEMS, Problem, built_in, read_problems, spread
from playground.testtime.running import score_now
from playground.testtime.scoring import ScoringContext
from tests.testtime.making import texts

WRONG = {
    "arithmetic": "-1",
    "multiple choice": "E",
    "json extraction": '{"nothing": 0}',
    "short facts": "I cannot say.",
}


def test_the_built_in_set_is_what_it_says() -> None:
    problems = built_in().problems
    assert built_in().kinds() == ("arithmetic", "multiple choice", "json extraction", "short facts")
    assert built_in().difficulties() == ("easy", "medium", "hard")
    for kind in built_in().kinds():
        levels = [problem.difficulty for problem in problems if problem.kind == kind]
        assert [levels.count(level) for level in ("easy", "medium", "hard")] == [4, 4, 4]
    assert len({problem.prompt for problem in problems}) == len({problem.id for problem in problems}) == 48


@pytest.mark.parametrize("problem", built_in().problems, ids=lambda problem: problem.id)
def test_each_reference_passes_its_own_checks_and_a_wrong_answer_fails(problem: Problem) -> None:
    given = built_in().problems[[p.id for p in built_in().problems].index(problem.id)]
    right = given.reference.split("|")[0] if given.truth == "mentions" else given.reference
    context = ScoringContext(given.prompt, given.reference, given.answer_pattern)
    columns = score_now(texts(right, WRONG[given.kind]), [given.truth_spec, given.verifier_spec], context)
    assert [score.valid for score in columns[0].scores] == [True, False]
    assert columns[1].scores[0].valid is True


def teardown_module() -> None:
    close_children()


CSV = 'prompt,reference,difficulty\nWhat is 1 + 1?,2,easy\n"Say, ""hi""",hi,hard\n'


def test_a_csv_is_read() -> None:
    problems = read_problems(CSV.encode()).problems
    assert [(p.prompt, p.reference, p.difficulty, p.kind) for p in problems] == [
        ("What is 1 + 1?", "2", "easy", "uploaded"),
        ('Say, "hi"', "hi", "hard", "uploaded"),
    ]
    assert [p.id for p in problems] == ["line 2", "line 3"]


def test_json_lines_are_read() -> None:
    rows = [
        {"prompt": "p", "reference": {"a": [1]}, "truth": "json-equals", "extra": 1},
        {"prompt": "q", "reference": 4},
    ]
    reading = read_problems("\n".join(map(json.dumps, rows)).encode(), "set.jsonl")
    assert [p.reference for p in reading.problems] == ['{"a": [1]}', "4"]
    assert reading.notes == ("Left out: extra.",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_other_encodings_and_separators_are_read(encoding: str, separator: str) -> None:
    text = separator.join(["Reference", "Prompt"]) + "\r\n" + separator.join(["Zürich", "Größte Stadt?"]) + "\r\n"
    reading = read_problems(text.encode(encoding))
    assert (reading.problems[0].prompt, reading.problems[0].reference) == ("Größte Stadt?", "Zürich")
    assert bool(reading.notes) == (encoding == "cp1252"), "a guess is told"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"question,answer\n1,2\n", "no column prompt"),
        (b"prompt\nx\n", "no column reference"),
        (b"prompt,reference\n", "no problems"),
        (b"prompt,reference\nx,\n", "no reference"),
        (b"prompt,reference\nx,y,z\n", "more cells"),
        (b"prompt,reference,truth\nx,y,judge\n", "truth must be one of"),
        (b"prompt,reference,truth\nx,y,magic\n", "there is no 'magic'"),
        (b"prompt,reference,verifier\nx,y,judge\n", "no verifier"),
        (b"prompt,reference,answer_pattern\nx,y,(\n", "regular expression"),
        (b"id,prompt,reference\na,x,y\na,x,y\n", "twice"),
        (b'{"prompt": "x"}\n', "no reference"),
        (b'{"prompt": "x"\n', "line 1 is no JSON"),
        (b'{"prompt": "x", "reference": "y"}\n[1]\n', "line 2 is no JSON object"),
        (b'{"a": ' + b"[" * 100_000 + b"\n", "no JSON"),
        (b'{"prompt": "\\ud800", "reference": "y"}\n', "surrogate"),
        (b"PK\x03\x04zip", "compressed"),
        (b"prompt,reference\n\0,\0\n", "zero bytes"),
        (b'prompt,reference\n"' + b"x" * 300_000 + b'",y\n', "field larger"),
        (b"prompt,reference\n" + b"x" * 21_000 + b",y\n", "20,000 characters"),
        (
            b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><lolz>&lol2;</lolz>',
            "XML",
        ),
        (b"prompt,reference\n" + b"x,y\n" * (MOST_PROBLEMS + 1), "more than 1,000 problems"),
        (b"x" * (MOST_BYTES + 1), "at most 10 are read"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else "",
)
def test_what_cannot_be_used_is_one_sentence(data: bytes, word: str) -> None:
    with pytest.raises(BadInput, match=word) as refused:
        read_problems(data)
    assert refused.value.field == "file"
    assert str(refused.value).endswith(".") and "\n" not in str(refused.value)


def test_a_json_list_is_read_as_such() -> None:
    given = [{"prompt": "1+1", "reference": "2"}, {"prompt": "a\u2028b", "reference": "3"}]
    for text in (json.dumps(given), json.dumps(given, indent=2, ensure_ascii=False)):
        for name in ("a.json", "a.csv", "a.jsonl"):
            for encoding in ("utf-8", "utf-8-sig", "utf-16"):
                reading = read_problems(text.encode(encoding), name)
                assert [one.prompt for one in reading.problems] == ["1+1", "a\u2028b"]
    with pytest.raises(BadInput, match="JSON list"):
        read_problems(b"[1, 2")


@pytest.mark.parametrize(
    "text",
    [
        '{"prompt": "a", "reference": "b", "prompt": "c"}',
        '[{"prompt": "a", "reference": "b", "prompt": "c"}]',
        "prompt,reference,prompt\na,b,c",
    ],
)
def test_nothing_that_is_there_twice_is_dropped_silently(text: str) -> None:
    with pytest.raises(BadInput, match="prompt.*twice|two columns prompt"):
        read_problems(text.encode())


def test_a_small_choice_of_problems_asks_something_of_every_kind() -> None:
    problems = built_in().problems
    groups = {(one.difficulty, one.kind) for one in problems}
    first = spread(problems, len(groups))
    assert {(one.difficulty, one.kind) for one in first} == groups
    assert sorted(one.id for one in spread(problems, 10**6)) == sorted(one.id for one in problems)
    assert spread(problems, 3) == first[:3] and spread([], 3) == ()
