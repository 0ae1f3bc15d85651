"""The Attention page's state: its link there and back, links of before, and a sentence for each value that is no use."""

from __future__ import annotations

import pytest

from playground.state.attention import AttentionState
from playground.state.link_fields import link_of, read_link

SET = AttentionState("3.0+2.max", "all.mean", "log", True, 40, 64, 50, "entropy", "text", 3)
OLD_LINK = {
    "heads": "3.0+2.max",
    "beside": "all.mean",
    "colours": "log",
    "hide_first": "1",
    "start": "40",
    "width": "64",
    "query": "50",
    "score": "entropy",
    "on": "text",
    "depth": "3",
}


def test_a_link_keeps_the_names_it_always_had() -> None:
    assert link_of(SET) == OLD_LINK
    reading = read_link(AttentionState, OLD_LINK | {"view": "weight"})
    assert reading.state == SET and not reading.problems
    assert link_of(AttentionState()) == {}


@pytest.mark.parametrize(
    "query",
    [
        {"heads": "first"},
        {"heads": "1.0.sum"},
        {"beside": "1"},
        {"colours": "rainbow"},
        {"hide_first": "yes"},
        {"start": "-1"},
        {"width": "1e3"},
        {"query": "９"},
        {"query": "-1"},
        {"score": "importance"},
        {"on": "air"},
        {"depth": "9" * 30},
    ],
    ids=str,
)
def test_a_bad_value_is_one_sentence_and_the_rest_is_applied(query: dict[str, str]) -> None:
    reading = read_link(AttentionState, OLD_LINK | query)
    (name,) = query
    usual = link_of(reading.state)
    assert len(reading.problems) == 1 and usual == {key: text for key, text in OLD_LINK.items() if key != name}


def test_models_in_a_link_from_before_are_no_heads() -> None:
    reading = read_link(AttentionState, {"beside": '["gpt2"]'})
    assert reading.state == AttentionState() and not reading.problems
