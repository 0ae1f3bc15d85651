"""Pasted and uploaded prompts: columns guessed, plain prompts parted, an editor's edits applied, references checked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.fake.engine import FakeEngine
from playground.errors import BadInput
from playground.testtime.types import ScorerSpec
from playground.tuning.example_rows import Row, apply_edits, read_rows, rows_of
from playground.tuning.examples import FIELDS, Example, built_in
from playground.tuning.incoming import columns_of, guess_columns, looks_like_table, read_prompts
from playground.tuning.standing import standing_of


def test_columns_of_a_strangers_table_and_the_fields_they_seem_to_hold() -> None:
    names, notes = columns_of("Question;Ideal;Category\nWhy?;So;a\n".encode("cp1252"))
    assert names == ("question", "ideal", "category") and not notes
    assert guess_columns(names) == {"prompt": "question", "reference": "ideal", "tags": "category"}
    lines = "\n".join(json.dumps(row) for row in ({"a": 1}, {"b": 2, "Output": "x"}))
    assert columns_of(lines.encode(), "x.jsonl")[0] == ("a", "b", "Output")
    assert guess_columns(("a", "b", "Output")) == {"prompt": "a", "reference": "Output"}
    assert "Windows-1252" in columns_of("prompt,x\né,1".encode("latin-1"))[1][0]


@given(st.lists(st.sampled_from(["prompt", "text", "answer", "Tag", "system", "x", "y"]), min_size=1, unique=True))
def test_a_guess_names_each_column_once_and_a_prompt_always(names: list[str]) -> None:
    columns = guess_columns(names)
    assert "prompt" in columns and set(columns) <= set(FIELDS)
    assert len(set(columns.values())) == len(columns) or len(names) == 1
    assert set(columns.values()) <= set(names)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"prompt,prompt\na,b", "two columns prompt"),
        (b"PK\x03\x04", "compressed"),
        (b"prompt\n", "no row"),
        (b" " * 16_000_001, "16 MB and at most 16 are read"),
        (b"{", "line 1 is no JSON"),
    ],
)
def test_what_is_no_table_is_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        columns_of(data)


def test_prompts_a_line_or_with_blank_lines_between() -> None:
    assert read_prompts("a\n\n b \r\nc", "line") == (Example("a"), Example("b"), Example("c"))
    assert read_prompts("a\nb\r\n \r\nc\n\n\n", "blank") == (Example("a\nb"), Example("c"))
    for text, said in (
        ("\n ", "no prompt"),
        ("a\n" * 10_000, "10,000 prompts"),
        ("b" * 20_001, "Prompt 1: its prompt"),
    ):
        with pytest.raises(BadInput, match=said):
            read_prompts(text, "line")


def test_a_pasted_table_is_seen_as_one() -> None:
    assert looks_like_table("Prompt\tReference\nx\ty") and looks_like_table(' {"prompt": "x"}')
    assert not looks_like_table("What is this, please?") and not looks_like_table("Prompt")


def test_edits_of_a_browser_are_applied_in_its_own_order() -> None:
    base = rows_of(built_in()[:3])
    edits = {
        "edited_rows": {0: {"reference": None, "tags": ["x", "x", 7]}, 2: {"prompt": "new"}},
        "deleted_rows": [1],
        "added_rows": [{}, {"prompt": "more\ud800", "checks": ["json"], "other": 1}],
    }
    rows = apply_edits(base, edits)
    assert [row.prompt for row in rows] == [base[0].prompt, "new", "", "more?"]
    assert rows[0].reference == "" and rows[0].tags == ("x",) and rows[0].checks == base[0].checks
    assert apply_edits(base, {}) == base


def test_rows_that_are_no_example_stay_and_are_told() -> None:
    rows = (Row(), Row("a", checks=("regx:b",)), Row(reference="c"), Row("d", checks=("exact",)), Row("e"))
    examples, problems = read_rows(rows)
    assert examples == (Example("e"),)
    assert [problem.split(":")[0] for problem in problems] == [f"Row {n} is left out" for n in (2, 3, 4)]
    assert "there is no 'regx'" in problems[0]
    examples, (problem,) = read_rows((Row("a"),) * 205)
    assert len(examples) == 200 and "From row 201 on" in problem
    assert read_rows(rows_of(built_in())) == (built_in(), ())


def test_how_an_example_stands_with_a_model() -> None:
    engine = FakeEngine()
    example = Example("hi", reference="no json", checks=(ScorerSpec("json"), ScorerSpec("length", "1-40c")))
    standing = standing_of(engine, example, chat=False)
    assert standing.prompt_tokens == len(engine.codec.encode("hi"))
    assert [(each.check, each.passed) for each in standing.checks] == [("json", False), ("length:1-40c", True)]
    assert "switch Chat on" in standing_of(engine, Example("hi", "be brief"), chat=False).problem
    long = standing_of(engine, Example("x" * 5_000), chat=False)
    assert long.prompt_tokens is None and "shorten it" in long.problem
