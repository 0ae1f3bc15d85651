"""The state of the page Tune: its link there and back, and a sentence for each value that is no use."""

from __future__ import annotations

import pytest

from playground.state.link_fields import link_of, read_link
from playground.state.tune import TuneState

LINK = {"tuning": "a1-B_2", "x": "top_k", "y": "min_p", "map": "probability", "z": "temperature", "zat": "0.7"}


def test_a_link_there_and_back() -> None:
    reading = read_link(TuneState, LINK)
    assert not reading.problems and link_of(reading.state) == LINK
    assert reading.state == TuneState("a1-B_2", "top_k", "min_p", "probability", "temperature", 0.7)
    assert link_of(TuneState()) == {}


@pytest.mark.parametrize(
    "query",
    [{"tuning": "../etc"}, {"x": "typical_p"}, {"map": "?"}, {"z": ""}, {"zat": "nan"}, {"zat": "1e9"}],
    ids=str,
)
def test_a_bad_value_is_one_sentence_and_the_rest_is_applied(query: dict[str, str]) -> None:
    reading = read_link(TuneState, LINK | query)
    (name,) = query
    assert len(reading.problems) == 1
    assert link_of(reading.state) == {key: value for key, value in LINK.items() if key != name}
