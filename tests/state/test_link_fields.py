"""States whose fields are declared once: whatever is set comes back from a link, and what cannot be used is one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.state.link_fields import (
    command_words,
    flag,
    link_fields,
    link_of,
    one_of,
    read_link,
    real,
    text,
    texts,
    whole,
)


@dataclass(frozen=True, slots=True)
class Everything:
    """One field of each kind."""

    rows: int = whole(10, 1, 50, label="Rows", flag="rows")
    start: int | None = whole(None, 0, 99)
    share: float = real(0.5, 0.0, 1.0, flag="share")
    log: bool = flag(flag="log")
    scale: str = one_of("linear", {"linear": "Linear", "log": "Log"}, name="axis")
    word: str = text("", 20)
    stops: tuple[str, ...] = texts((), 3, flag="stop")
    always: int = whole(3, 0, 9, always=True)


CLEAN = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
STATES = st.builds(
    Everything,
    rows=st.integers(1, 50),
    start=st.none() | st.integers(0, 99),
    share=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    log=st.booleans(),
    scale=st.sampled_from(["linear", "log"]),
    word=CLEAN,
    stops=st.lists(CLEAN, max_size=3).map(tuple),
    always=st.integers(0, 9),
)


@given(STATES)
def test_a_link_gives_back_the_state(state: Everything) -> None:
    query = dict(parse_qsl(urlencode(link_of(state)), keep_blank_values=True))
    assert read_link(Everything, query).problems == ()
    assert read_link(Everything, query).state == state


def test_defaults_stay_out_of_a_link_but_where_they_are_always_said() -> None:
    assert link_of(Everything()) == {"always": "3"}
    assert link_of(Everything(scale="log", rows=7)) == {"always": "3", "axis": "log", "rows": "7"}


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("rows", "0"),
        ("rows", "51"),
        ("rows", "٣"),
        ("rows", "1_0"),
        ("rows", "9" * 5000),
        ("rows", ""),
        ("start", "-1"),
        ("share", "nan"),
        ("share", "inf"),
        ("share", "half"),
        ("log", "yes"),
        ("axis", "<b>"),
        ("word", "x" * 21),
        ("word", "a\ud800"),
        ("stops", "["),
        ("stops", '{"a": 1}'),
        ("stops", '["a", "b", "c", "d"]'),
        ("stops", "[1]"),
    ],
)
def test_each_fault_is_one_sentence_and_spares_the_rest(field: str, given: str) -> None:
    reading = read_link(Everything, {field: given, "always": "5"})
    assert reading.state == Everything(always=5)
    (problem,) = reading.problems
    assert problem.endswith(".") and len(problem) < 300 and "Error" not in problem


def test_fields_that_only_make_sense_together_are_checked_together() -> None:
    def check(state: Everything) -> None:
        if state.log and state.scale == "linear":
            raise BadInput("log: needs the logarithmic scale.")

    reading = read_link(Everything, {"log": "1", "axis": "log"}, check=check)
    assert reading.state == Everything(scale="log") and len(reading.problems) == 1, "in the order of the fields"
    assert read_link(Everything, {"log": "1"}, Everything(scale="log"), check).state.log


def test_the_command_line_s_words_follow_from_the_same_table() -> None:
    assert command_words(Everything()) == []
    assert command_words(Everything(rows=7, log=True, stops=("a", "b b"))) == [
        "--rows=7",
        "--log",
        "--stop=a",
        "--stop=b b",
    ]
    assert {name: field.name for name, field in link_fields(Everything).items()}["scale"] == "axis"


def test_a_field_answers_to_its_old_name_and_is_written_under_its_new_one() -> None:
    @dataclass(frozen=True, slots=True)
    class Renamed:
        stream: int = whole(1, 0, 9, old_name="luck")
        other: int = whole(1, 0, 9)

    assert (
        read_link(Renamed, {"luck": "2"}).state == read_link(Renamed, {"luck": "3", "stream": "2"}).state == Renamed(2)
    )
    assert link_of(Renamed(2)) == {"stream": "2"} and read_link(Renamed, {"": "5"}).state == Renamed()
