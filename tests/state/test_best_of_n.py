"""The Best-of-N page's state: its link there and back, a sentence for what cannot be used, and the run it means."""

from __future__ import annotations

import pytest

from playground.errors import BadInput
from playground.state.best_of_n import (
    DEFAULT_RULES,
    BestOfNState,
    adopted,
    pattern_of,
    read_temperatures,
    reference_of,
    request_of,
)
from playground.state.link_fields import link_of, read_link
from playground.state.setup import Setup


def test_the_link_brings_back_the_set_up() -> None:
    options = BestOfNState(
        n=32,
        max_new_tokens=9,
        stop_strings=("\n", "."),
        ignore_eos=True,
        temperatures="0.5, 1",
        rules=("json", "regex:\\d+"),
        reference="a|b",
        answer_pattern="number",
        beams=6,
        beam_groups=3,
        diversity_penalty=1.5,
        length_penalty=0.0,
        verifier="json",
        tries=5,
    )
    reading = read_link(BestOfNState, link_of(options))
    assert reading.state == options and not reading.problems
    assert read_link(BestOfNState, link_of(BestOfNState())).state == BestOfNState()
    assert set(link_of(BestOfNState())) == {"n", "new"}


@pytest.mark.parametrize(
    "query",
    [
        {"n": "0"},
        {"n": "ten"},
        {"new": "-5"},
        {"rules": '["no-such"]'},
        {"rules": "[1"},
        {"temps": "warm"},
        {"beams": "99"},
        {"beam_groups": "3"},
        {"tries": "0"},
        {"stop": '{"a": 1}'},
        {"length_penalty": "nan"},
        {"verifier": "avg-logprob"},
        {"temps": "-1"},
    ],
    ids=str,
)
def test_a_bad_link_is_told_and_left_at_its_default(query: dict[str, str]) -> None:
    reading = read_link(BestOfNState, query)
    assert reading.state == BestOfNState() and len(reading.problems) == 1


def test_a_kept_set_up_puts_the_controls_back() -> None:
    setup = Setup(prompt="p", chat=True, system="s", seed=4)
    options = BestOfNState(n=3, temperatures="0.5, 1.25", systems=("a", "b"), reference="r", answer_pattern="number")
    request = request_of(options, setup)
    new, again = adopted(request, Setup(), BestOfNState())
    assert request_of(again, new) == request
    with pytest.raises(BadInput):
        read_temperatures("0.5; warm")


def test_the_ready_made_reference_belongs_to_the_ready_made_prompt() -> None:
    assert reference_of(BestOfNState(), Setup()) == "Paris" and reference_of(BestOfNState(), Setup(prompt="x")) == ""
    assert pattern_of(BestOfNState(), Setup(prompt="x")) == "last-line" and BestOfNState().rules == DEFAULT_RULES


def test_a_kept_beam_search_puts_its_settings_back() -> None:
    options = BestOfNState(beams=6, beam_groups=3, diversity_penalty=1.5, length_penalty=0.25)
    request = request_of(options, Setup(), beams=True)
    _setup, again = adopted(request, Setup(), BestOfNState())
    assert request_of(again, Setup(), beams=True) == request
    _setup, untouched = adopted(request_of(options, Setup()), Setup(), BestOfNState())
    assert untouched.beams == BestOfNState().beams


def test_an_old_link_still_opens() -> None:
    """As the page wrote it when it had a codec of its own."""
    query = {
        "n": "16",
        "new": "6",
        "stop": '["\\n"]',
        "temps": "0.5, 1",
        "rules": '["avg-logprob", "regex:\\\\d"]',
        "ref": "",
        "pattern": "number",
        "beams": "6",
        "beam_groups": "3",
        "length_penalty": "0.0",
        "ignore_eos": "1",
    }
    reading = read_link(BestOfNState, query)
    assert not reading.problems
    assert reading.state == BestOfNState(
        n=16,
        max_new_tokens=6,
        stop_strings=("\n",),
        temperatures="0.5, 1",
        rules=("avg-logprob", "regex:\\d"),
        reference="",
        answer_pattern="number",
        beams=6,
        beam_groups=3,
        length_penalty=0.0,
        ignore_eos=True,
    )
