"""The state of Inside the model: its link there and back, links of before, and a sentence for each value that is no use."""

from __future__ import annotations

import pytest

from playground.state.inside import InsideState
from playground.state.link_fields import link_of, read_link

SET = InsideState("divergence", 3, 1, 9, 65, 700, "Cache")
OLD_LINK = {"colour": "divergence", "from": "3", "depth": "1", "position": "9", "follow": "65", "ahead": "700"}


def test_a_link_keeps_the_names_it_always_had() -> None:
    assert link_of(SET) == OLD_LINK | {"chart": "Cache"}
    reading = read_link(InsideState, OLD_LINK | {"show": "timing"})
    assert link_of(reading.state) == OLD_LINK and not reading.problems
    assert link_of(InsideState()) == {}


def test_a_first_place_is_not_no_place() -> None:
    first = {"from": "0", "depth": "0", "position": "0", "follow": "0"}
    assert link_of(read_link(InsideState, first).state) == first


@pytest.mark.parametrize(
    "query",
    [
        {"colour": "red"},
        {"from": "nan"},
        {"depth": "-1"},
        {"position": "1e9"},
        {"follow": "９"},
        {"ahead": "9" * 30},
        {"chart": "Pie"},
    ],
    ids=str,
)
def test_a_bad_value_is_one_sentence_and_the_rest_is_applied(query: dict[str, str]) -> None:
    reading = read_link(InsideState, OLD_LINK | query)
    assert len(reading.problems) == 1
    assert link_of(reading.state) == {name: text for name, text in OLD_LINK.items() if name not in query}
