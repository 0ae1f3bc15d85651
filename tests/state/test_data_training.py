"""The state of the page Training data: dials in a link, and a sentence for each value that is no use."""

from __future__ import annotations

import pytest

from playground.corpus.rules import RULES, USUAL, rules_of
from playground.state.data_training import FilterState
from playground.state.link_fields import link_of, read_link

LINK = {
    "groups": '["c4", "perplexity"]',
    "dials": '["c4-sentences:2", "perplexity:99"]',
    "wanted": "de",
    "group": "c4",
    "documents": "one",
    "by": "dialect",
}


def test_a_link_there_and_back() -> None:
    reading = read_link(FilterState, LINK)
    assert not reading.problems and link_of(reading.state) == LINK
    assert reading.state.thresholds == {
        "c4-lorem-ipsum": 0,
        "c4-curly-bracket": 0,
        "c4-sentences": 2,
        "perplexity": 99,
    }
    assert link_of(FilterState()) == {} and set(FilterState().thresholds) == set(rules_of(USUAL))
    assert FilterState(dials=("perplexity:9",)).thresholds == {name: RULES[name].threshold for name in rules_of(USUAL)}


@pytest.mark.parametrize(
    "query",
    [
        {"groups": '["none"]'},
        {"dials": '["c4-sentences:x"]'},
        {"wanted": "<b>"},
        {"group": "?"},
        {"documents": "x"},
        {"by": ""},
    ],
    ids=str,
)
def test_a_bad_value_is_one_sentence_and_the_rest_is_applied(query: dict[str, str]) -> None:
    reading = read_link(FilterState, LINK | query)
    (name,) = query
    assert len(reading.problems) == 1
    assert link_of(reading.state) == {key: value for key, value in LINK.items() if key != name}
