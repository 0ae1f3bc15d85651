"""Searches: the known best is found and quoted from examples it was not chosen on; where there is none, it says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from playground.engine.api import CancelToken
from playground.engine.fake.codec import VOCAB
from playground.engine.fake.engine import FakeEngine
from playground.engine.pieces import finish
from playground.engine.types import FloatArray, TokenIds
from playground.errors import BadInput, Cancelled
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.tuning import search
from playground.tuning.examples import Example
from playground.tuning.measures import MEASURES
from playground.tuning.search import SearchState, run_search, search_words
from playground.tuning.search_plan import Bar, SearchPlan, SearchRange

HOT = SamplerSettings(temperature=1.8)


def engine_with(lead: float) -> FakeEngine:
    """Eight letters can come, of which "a" leads by ``lead``: the cooler, the more of them."""

    def row(ids: TokenIds) -> FloatArray:
        logits = np.full(VOCAB, -1e4, np.float32)
        logits[97:105] = 0
        logits[97] = lead
        return logits

    return FakeEngine(row)


def plan_of(**changes: Any) -> SearchPlan:
    fields: dict[str, Any] = {
        "examples": tuple(Example("a" * (n + 1), reference="aaaa") for n in range(16)),
        "present": HOT,
        "ranges": (SearchRange("temperature", 0.0, 2.0),),
        "goal": MEASURES["chrf"],
        "texts": 88,
        "samples": 1,
        "max_new_tokens": 3,
    }
    return SearchPlan(**fields | changes)


def test_the_known_best_is_found_and_its_figure_is_from_examples_it_was_not_chosen_on() -> None:
    plan = plan_of()
    assert (plan.trials, plan.trial_texts, plan.check_texts) == (8, 8, 24)
    assert sorted(plan.split[0] + plan.split[1], key=lambda e: len(e.prompt)) == list(plan.examples)
    steps, state = [], SearchState(plan)
    running = run_search(engine_with(2.0), state)
    while True:
        try:
            steps.append(next(running))
        except StopIteration as end:
            state = end.value
            break
    assert [step.texts for step in steps] == sorted(step.texts for step in steps) and steps[-1].texts <= plan.texts
    assert state.trials[0].settings == HOT and state.finished and len(state.trials) == 8
    assert state.best is not None and state.best.settings.temperature < 0.5
    assert state.check is not None and state.values["chrf"].shape == (8, 3)
    assert not state.check.recommendation.keep
    said = search_words(state)
    assert "On the 8 examples it was not chosen on its chrf is " in said and "Use 'found': it has " in said


def test_a_bar_is_kept_to() -> None:
    """Cold texts are all the same, so a bar on how different their pairs are leaves the warmer ones."""
    bar = Bar(MEASURES["distinct-2"], True, 0.6)
    state = finish(run_search(engine_with(2.0), SearchState(plan_of(bars=(bar,)))))
    met = [trial for trial in state.trials if trial.met]
    assert state.best in met and 0 < len(met) < len(state.trials)
    assert all((trial.means["distinct-2"] or 0) >= 0.6 for trial in met)
    impossible = finish(
        run_search(engine_with(2.0), SearchState(plan_of(texts=56, bars=(Bar(MEASURES["tokens"], True, 99),))))
    )
    assert impossible.best is None and "none of them met every bar" in search_words(impossible)


def test_where_nothing_is_better_it_says_so() -> None:
    """One token alone can come, whatever the temperature."""
    state = finish(run_search(engine_with(1e4), SearchState(plan_of(texts=56))))
    assert state.best is not None and state.best.number == 0 and state.check is None
    assert search_words(state).endswith("and none did better in chrf than the present one.")


def test_what_was_luck_in_the_search_is_not_claimed() -> None:
    """Every letter is equally likely at any temperature: what did best did so by chance."""
    plan = plan_of(ranges=(SearchRange("top_p", 0.9, 1.0),), present=NEUTRAL)
    state = finish(run_search(engine_with(0.0), SearchState(plan)))
    assert state.check is None or state.check.recommendation.keep
    assert "Keep " in search_words(state)


def test_a_search_that_was_stopped_goes_on_to_the_same_end() -> None:
    whole = finish(run_search(engine_with(2.0), SearchState(plan_of(texts=80))))
    state, cancel = SearchState(plan_of(texts=80)), CancelToken()
    with pytest.raises(Cancelled):
        for step in run_search(engine_with(2.0), state, cancel):
            state = step.state
            if len(state.trials) == 3:
                cancel.cancel()
    assert len(state.trials) == 3
    again = finish(run_search(engine_with(2.0), state))
    assert [trial.settings for trial in again.trials] == [trial.settings for trial in whole.trials]
    assert search_words(again) == search_words(whole)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"examples": (Example("a"),) * 3}, "needs 4 examples"),
        ({"goal": MEASURES["tokens"]}, "neither better nor worse"),
        ({"ranges": ()}, "1 to 8 samplers"),
        ({"ranges": (SearchRange("temperature", 0, 1),) * 2}, "each once"),
        ({"ranges": (SearchRange("temperature", 1, 1),)}, "from a smaller to a larger"),
        ({"ranges": (SearchRange("temperature", 0, 99),)}, "within 0 and 10"),
        ({"ranges": (SearchRange("logit_bias", 0, 1),)}, "cannot be searched over"),
        ({"texts": 50}, "50 texts are too few for a search on these examples: allow 56"),
        ({"samples": 0}, "1 to 64 samples"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        plan_of(**changes)


def test_proposals_stay_in_their_ranges() -> None:
    ranges = (SearchRange("top_k", 2, 5), SearchRange("top_p", 0.333, 0.4))
    state = SearchState(plan_of(ranges=ranges))
    for number in range(12):
        settings = search._propose(state)
        if number:
            assert 2 <= settings.top_k <= 5 and 0.333 <= settings.top_p <= 0.4 and settings.temperature == 1.8
        trial = search.Trial(number, settings, {"chrf": float(settings.top_k)}, True)
        state = SearchState(state.plan, (*state.trials, trial))
