"""Settings are always valid, survive a link, and refuse in one sentence that names the field."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import BadSetting
from playground.sampling.orders import ORDERS, PUBLISHED, appended, resolve_order
from playground.sampling.registry import PARAMETERS, SAMPLERS
from playground.sampling.settings import NEUTRAL, SamplerSettings


def values_of(name: str) -> st.SearchStrategy[object]:
    parameter = PARAMETERS[name]
    if parameter.kind == "bias":
        return st.dictionaries(st.integers(0, 60_000), st.floats(-100, 100), max_size=4)
    if parameter.kind == "strings":
        return st.lists(st.text(min_size=1, max_size=5), max_size=4)
    if parameter.kind == "int":
        return st.integers(int(parameter.low), int(parameter.high))
    return st.floats(parameter.low, parameter.high)


any_settings = st.fixed_dictionaries(
    {}, optional={**{name: values_of(name) for name in PARAMETERS}, "order": st.permutations(list(SAMPLERS))}
).map(SamplerSettings.from_mapping)


@settings(deadline=None, max_examples=150)
@given(any_settings, st.booleans())
def test_settings_survive_json(chosen: SamplerSettings, only_changed: bool) -> None:
    carried = json.loads(json.dumps(chosen.to_mapping(only_changed)))
    assert SamplerSettings.from_mapping(carried) == chosen


@settings(deadline=None, max_examples=150)
@given(any_settings)
def test_settings_survive_a_query_string(chosen: SamplerSettings) -> None:
    """A link holds strings only: numbers as text, lists as JSON, biases as id=bias."""
    as_text = {}
    for name, value in chosen.to_mapping().items():
        if isinstance(value, dict):
            as_text[name] = ",".join(f"{token}={bias!r}" for token, bias in value.items())
        else:
            as_text[name] = json.dumps(value) if isinstance(value, list) else str(value)
    assert SamplerSettings.from_mapping(as_text) == chosen


def test_every_parameter_is_a_field_at_its_neutral_value_and_belongs_to_one_sampler() -> None:
    for name, parameter in PARAMETERS.items():
        assert getattr(NEUTRAL, name) == parameter.neutral, name
    owners = [parameter.name for sampler in SAMPLERS.values() for parameter in sampler.parameters]
    assert sorted(owners) == sorted(PARAMETERS)
    assert NEUTRAL.active() == () and NEUTRAL.to_mapping() == {}


NUMBERS = [name for name, parameter in PARAMETERS.items() if parameter.kind in ("float", "int")]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", math.nan, math.inf, "", "abc", None, True, [1], "1e999", 1e12])
def test_what_is_no_number_in_range_is_refused_by_name(name: str, bad: object) -> None:
    with pytest.raises(BadSetting) as caught:
        SamplerSettings.from_mapping({name: bad})
    assert caught.value.field == name
    assert name in str(caught.value) and f"{PARAMETERS[name].high:.9g}" in str(caught.value).replace(",", "")


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_are_accepted_and_what_lies_beyond_is_not(name: str) -> None:
    parameter = PARAMETERS[name]
    for bound in (parameter.low, parameter.high):
        assert getattr(NEUTRAL.replace(**{name: bound}), name) == bound
    for beyond in (parameter.low - parameter.step, parameter.high + parameter.step):
        with pytest.raises(BadSetting):
            NEUTRAL.replace(**{name: beyond})


@pytest.mark.parametrize(
    "bad",
    [
        {"top_z": 1},
        {"top_k": 1.5},
        {"top_k": "2.5"},
        {"logit_bias": "7"},
        {"logit_bias": "x=1"},
        {"logit_bias": "7=nan"},
        {"logit_bias": "7=1,7=2"},
        {"logit_bias": {"-1": 1.0}},
        {"logit_bias": {7: 101}},
        {"logit_bias": 7},
        {"logit_bias": {1.5: 1}},
        {"dry_sequence_breakers": [1]},
        {"dry_sequence_breakers": ["x" * 41]},
        {"order": "top_p,top_p"},
        {"order": "top_p,none_such"},
        {"order": ""},
        {"order": [1]},
        {"order": 3},
    ],
    ids=str,
)
def test_bad_input_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadSetting) as caught:
        SamplerSettings.from_mapping(bad)
    assert caught.value.field == next(iter(bad))
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_strings_and_numbers_mean_the_same() -> None:
    text = SamplerSettings.from_mapping({"temperature": "1", "top_k": "40.0", "logit_bias": ["7=-5"], "order": "VLLM"})
    assert text == SamplerSettings(top_k=40, logit_bias=((7, -5.0),), order=ORDERS["vllm"])
    assert isinstance(text.temperature, float) and isinstance(text.top_k, int)


def test_breakers_can_be_none_one_or_json() -> None:
    assert SamplerSettings.from_mapping({"dry_sequence_breakers": [""]}).dry_sequence_breakers == ()
    assert SamplerSettings.from_mapping({"dry_sequence_breakers": "ab"}).dry_sequence_breakers == ("ab",)
    assert SamplerSettings.from_mapping({"dry_sequence_breakers": '["a", "b"]'}).dry_sequence_breakers == ("a", "b")


def test_mirostat_replaces_truncation_and_dynatemp_the_fixed_temperature() -> None:
    chosen = SamplerSettings(temperature=0.8, top_p=0.9, xtc_probability=0.5, repetition_penalty=1.1, mirostat_tau=5)
    assert chosen.active() == ("repetition_penalty", "temperature", "mirostat")
    assert set(chosen.replaced()) == {"top_p", "xtc"}
    assert chosen.replace(dynatemp_range=0.3).active() == ("repetition_penalty", "dynatemp", "mirostat")
    assert chosen.is_neutral("top_p") and not chosen.is_neutral("mirostat")
    assert SamplerSettings(xtc_probability=0.5, xtc_threshold=0.51).is_neutral("xtc")
    assert SamplerSettings(top_n_sigma=0).is_neutral("top_n_sigma")


@pytest.mark.parametrize("name", list(ORDERS))
def test_each_order_holds_every_sampler_once_and_keeps_the_published_sequence(name: str) -> None:
    order = ORDERS[name]
    assert sorted(order) == sorted(SAMPLERS)
    assert tuple(sampler for sampler in order if sampler in PUBLISHED[name]) == PUBLISHED[name]
    assert set(appended(name)) == set(SAMPLERS) - set(PUBLISHED[name])
    first_heat = order.index("temperature")
    for sampler in appended(name):
        if SAMPLERS[sampler].group == "penalty":
            assert order.index(sampler) < first_heat
        if SAMPLERS[sampler].group == "truncation":
            assert order.index(sampler) > first_heat


def test_a_partial_order_is_completed_by_group() -> None:
    order = resolve_order("top_p, temperature")
    assert order.index("top_p") < order.index("temperature") < order.index("min_p")
    assert order.index("logit_bias") < order.index("dry") < order.index("top_p")
    assert order.index("dynatemp") == order.index("temperature") + 1
    assert resolve_order(order) == order
    short = resolve_order("typical,eta,top-k")
    assert short.index("typical_p") < short.index("eta_cutoff") < short.index("top_k") < short.index("top_p")
    with pytest.raises(BadSetting):
        appended("gpt")


def test_a_refusal_writes_its_bounds_as_a_person_would() -> None:
    with pytest.raises(BadSetting, match="a whole number from 0 to 1,000,000, not -3"):
        SamplerSettings(top_k=-3)
    with pytest.raises(BadSetting, match="a number from 0 to 0.999, not 2"):
        SamplerSettings(eta_cutoff=2)
