"""The Generate page's own fields in a link: there and back, old links, and one sentence for each fault."""

from __future__ import annotations

import json

import pytest

from playground.charts.token_colours import SCALES
from playground.constraint import Constraint
from playground.state.generate import STREAMS, GenerateState, read_ids, unescaped
from playground.state.link_fields import link_fields, link_of, read_link


@pytest.mark.parametrize(
    "state",
    [
        GenerateState(),
        GenerateState(7, ("a\n", '"]'), "1, 2", True, "own", 3, "entropy"),
        GenerateState(stop_strings=("é😀",)),
        GenerateState(match="json_schema", pattern='{"type": "object"}'),
        GenerateState(pattern="kept while nothing is chosen"),
    ],
)
def test_a_link_carries_the_state(state: GenerateState) -> None:
    reading = read_link(GenerateState, link_of(state))
    assert (reading.state, reading.problems) == (state, ())


def test_links_from_before_the_kit_open_as_they_did() -> None:
    old = {"new": "7", "stop": '["a\\n", "}"]', "stop_ids": "1, 2", "ignore_eos": "1", "seeds": "3", "luck": "own"}
    reading = read_link(GenerateState, old)
    assert (reading.state, reading.problems) == (GenerateState(7, ("a\n", "}"), "1, 2", True, "own", 3), ())


@pytest.mark.parametrize(
    "fields",
    [
        {"new": "0"},
        {"new": "x"},
        {"stop": "["},
        {"stop": '[""]'},
        {"stop": "3"},
        {"stop_ids": "a"},
        {"seeds": "99"},
        {"luck": "bad"},
        {"stream": "bad"},
        {"colour": "bad"},
        {"ignore_eos": "maybe"},
        {"match": "word"},
        {"pattern": "a" * 20_001},
        {"new": "9" * 5000},
        {"stop": json.dumps(["a"] * 99)},
    ],
    ids=str,
)
def test_a_bad_link_is_one_sentence_a_field_and_spares_the_rest(fields: dict[str, str]) -> None:
    reading = read_link(GenerateState, {"seeds": "2", **fields} if "seeds" not in fields else {"new": "9", **fields})
    assert len(reading.problems) == 1 and reading.problems[0].endswith(".")
    assert reading.state.seeds == 2 or reading.state.max_new_tokens == 9


def test_ids_are_read_as_people_write_them() -> None:
    assert read_ids(" 1,2  3 ,") == (1, 2, 3) and read_ids("") == ()


def test_the_choices_are_what_links_and_pictures_know() -> None:
    assert set(STREAMS) == {"same", "own"}
    assert list(link_fields(GenerateState)["scale"].choices or ()) == list(SCALES)


def test_a_line_break_is_typed_as_two_characters() -> None:
    assert unescaped(r"a\n\tb\x") == "a\n\tb\\x"


def test_a_constraint_is_of_the_chosen_kind_or_none() -> None:
    assert GenerateState(pattern="a\nb").limits().constraint is None
    assert GenerateState(match="choice", pattern="a\nb").limits().constraint == Constraint("choice", "a\nb")
