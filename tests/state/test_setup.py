"""Links and the setup they carry: a round trip for anything, a sentence for everything that cannot be used."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import PlaygroundError
from playground.models.naming import read_compared
from playground.sampling.registry import PARAMETERS, SAMPLERS, Parameter
from playground.sampling.settings import SamplerSettings
from playground.state.link_fields import Reading
from playground.state.setup import (
    MAX_LINK_STEPS,
    MAX_PROMPT_CHARACTERS,
    MAX_SEED,
    Setup,
    read_seed,
    read_setup,
    setup_fields,
    setup_query,
)

HOSTILE = (
    "",
    " ",
    "👩‍👩‍👧‍👦 🇲🇲",
    "မင်္ဂလာပါ",
    "مرحبا بالعالم",
    "नमस्ते",
    "<script>window.x=1</script>",
    "a&prompt=b&chat=1#top",
    "%00%ff+ +",
    "\x00\x01\n\r\t",
    "=\"'`${{7*7}}",
    "seed=3\nchat=1",
    "\u202e\u200d\ufeff",
)
TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=60))


def values_of(parameter: Parameter) -> st.SearchStrategy[Any]:
    if parameter.kind == "int":
        return st.integers(int(parameter.low), int(parameter.high))
    if parameter.kind == "float":
        return st.floats(parameter.low, parameter.high)
    if parameter.kind == "bias":
        return st.dictionaries(st.integers(0, 2**31 - 1), st.floats(-100, 100), max_size=5).map(
            lambda biases: tuple(sorted(biases.items()))
        )
    return st.lists(st.text(min_size=1, max_size=8), max_size=4, unique=True).map(tuple)


ORDER = st.one_of(st.sampled_from(["hf", "vllm", "llama.cpp"]), st.permutations(list(SAMPLERS)).map(tuple))
SETTINGS = st.fixed_dictionaries(
    {}, optional={name: values_of(parameter) for name, parameter in PARAMETERS.items()} | {"order": ORDER}
).map(lambda values: SamplerSettings(**values))


@st.composite
def setups(draw: st.DrawFn) -> Setup:
    chat = draw(st.booleans())
    steps = tuple(draw(st.lists(st.integers(0, 300_000), max_size=12)))
    return Setup(
        prompt=draw(TEXT),
        chat=chat,
        system=draw(TEXT) if chat else "",  # a system prompt without chat says nothing and is not carried
        parse_special=draw(st.booleans()),
        settings=draw(SETTINGS),
        seed=draw(st.integers(0, MAX_SEED)),
        steps=steps,
        position=draw(st.integers(0, len(steps))),
        model=draw(st.sampled_from([None, "gpt2", "org/name@main", "/models/ဗမာ folder"])),
        device=draw(st.sampled_from([None, "cpu", "cuda:1"])),
        dtype=draw(st.sampled_from([None, "bfloat16"])),
    )


@given(setups())
def test_a_link_gives_back_the_setup(setup: Setup) -> None:
    reading = read_setup(setup_fields(setup))
    assert reading.problems == ()
    assert reading.state == setup


@given(setups())
def test_a_link_survives_the_address_bar(setup: Setup) -> None:
    """Read with the standard library's own query parser, as a browser and a server would."""
    query = setup_query(setup)
    assert query.isascii() and not set(query) & set(" <>\"'#")
    fields = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))
    reading = read_setup(fields)
    assert (reading.state, reading.problems) == (setup, ())


@given(setups(), st.data())
def test_a_truncated_link_is_told_and_never_an_exception(setup: Setup, data: st.DataObject) -> None:
    query = setup_query(setup)
    cut = query[: data.draw(st.integers(0, len(query)))]
    fields = dict(parse_qsl(cut, keep_blank_values=True))
    reading = read_setup(fields)
    assert isinstance(reading.state, Setup)
    _sentences(reading.problems)
    if "check" in fields and cut != query:
        assert reading.problems, "a link cut short must not pass for a whole one"


def test_every_cut_through_a_links_fields_is_told() -> None:
    query = setup_query(Setup(prompt="The capital", settings=SamplerSettings(top_p=0.9), steps=(5, 6), position=2))
    for length in range(query.index("&"), len(query)):
        assert read_setup(dict(parse_qsl(query[:length], keep_blank_values=True))).problems, query[:length]


@given(setups(), st.sampled_from([*PARAMETERS, "order", "seed", "steps", "at", "chat", "prompt"]), TEXT)
def test_a_tampered_link_is_told_and_never_an_exception(setup: Setup, field: str, value: str) -> None:
    before = setup_fields(setup)
    after = before | {field: value}
    reading = read_setup(after)
    assert isinstance(reading.state, Setup)
    assert 0 <= reading.state.position <= len(reading.state.steps)
    _sentences(reading.problems)
    if before.get(field) != value:
        assert reading.problems, "a changed field must not pass for the sender's own"


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(
            [*PARAMETERS, "order", "prompt", "chat", "special", "seed", "steps", "at", "model", "check", "x"]
        ),
        st.one_of(
            TEXT, st.sampled_from(["nan", "inf", "-inf", "-1", "1e999", "[", '["a"]', "1=nan", "9" * 5000, "٣", "1_0"])
        ),
    )
)
def test_any_fields_at_all_give_a_setup_that_can_be_linked_again(fields: dict[str, str]) -> None:
    reading = read_setup(fields)
    _sentences(reading.problems)
    again = read_setup(setup_fields(reading.state))
    assert (again.state, again.problems) == (replace(reading.state, system=again.state.system), ())


def _sentences(problems: tuple[str, ...]) -> None:
    for problem in problems:
        assert problem.endswith(".") and "\n" not in problem.strip() and len(problem) < 600, problem
        assert "Traceback" not in problem and "Error(" not in problem


NUMBERS = [name for name, parameter in PARAMETERS.items() if parameter.kind in ("int", "float")]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "abc", "", "-1000", "None", "0x10", "<b>"])
def test_a_bad_number_says_one_sentence_and_spares_the_rest(name: str, value: str) -> None:
    good = "top_k" if name != "top_k" else "min_p"
    reading = read_setup({name: value, good: "0", "prompt": "kept", "seed": "5"})
    assert len(reading.problems) == 1 and name in reading.problems[0]
    assert getattr(reading.state.settings, name) == PARAMETERS[name].neutral
    assert (reading.state.prompt, reading.state.seed) == ("kept", 5)


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": "-1"},
        {"seed": "4294967296"},
        {"seed": "x"},
        {"seed": "9" * 5000},
        {"chat": "yes"},
        {"special": ""},
        {"steps": "1,2"},
        {"steps": "1.-2"},
        {"steps": "99999999"},
        {"steps": ".".join(["1"] * (MAX_LINK_STEPS + 1))},
        {"steps": "١.٢"},
        {"at": "x", "steps": "1.2"},
        {"at": "999999", "steps": "1.2"},
        {"order": "bogus"},
        {"order": "top_k,top_k"},
        {"logit_bias": "7"},
        {"model": "x" * 301},
        {"model": "a\nb"},
        {"device": "\x00"},
        {"prompt": "x" * (MAX_PROMPT_CHARACTERS + 1)},
        {"system": "x" * (MAX_PROMPT_CHARACTERS + 1)},
        {"prompt": "a\ud800"},
        {"system": "\udfff"},
        {"dry_sequence_breakers": "x" * 41},
        {"prompt": "a", "check": "00000000"},
    ],
    ids=lambda fields: "&".join(f"{name}={value[:12]!r}" for name, value in fields.items()),
)
def test_each_fault_is_one_sentence(fields: dict[str, str]) -> None:
    reading = read_setup(fields)
    assert len(reading.problems) == 1
    _sentences(reading.problems)
    assert reading.state.settings == SamplerSettings() and reading.state.seed == 0


def test_only_position_beyond_the_steps_is_clipped() -> None:
    assert read_setup({"steps": "1.2.3", "at": "2"}).state.taken == (1, 2)
    assert read_setup({"steps": "1.2.3", "at": "7"}).state.taken == (1, 2, 3)
    assert read_setup({"steps": "1.2.3"}).state.taken == (1, 2, 3)


def test_a_hand_written_link_needs_no_check() -> None:
    reading = read_setup({"top_p": "0.9", "utm_source": "x", "embed": "true"})
    assert reading.problems == ()
    assert reading.state == Setup(settings=SamplerSettings(top_p=0.9))


@pytest.mark.parametrize("text", ["0", "4294967295", " 7 "])
def test_a_seed_from_text(text: str) -> None:
    assert read_seed(text) == int(text)


@pytest.mark.parametrize("text", ["", "-1", "1.0", "1e3", "nan", "4294967296"])
def test_no_seed_from_other_text(text: str) -> None:
    with pytest.raises(PlaygroundError, match="seed"):
        read_seed(text)


# -- stepping ----------------------------------------------------------------------------------------------------------


@given(setups(), st.integers(0, 300_000))
def test_accepting_appends_after_what_is_in_view(setup: Setup, token: int) -> None:
    after = setup.accept(token)
    assert after.taken == (*setup.taken, token)
    assert replace(after, steps=setup.steps, position=setup.position) == setup, "nothing else changes"


@given(setups())
def test_accepting_the_token_stepped_back_over_keeps_the_later_ones(setup: Setup) -> None:
    if setup.position < len(setup.steps):
        after = setup.accept(setup.steps[setup.position])
        assert after.steps == setup.steps and after.position == setup.position + 1


@given(setups(), st.lists(st.integers(-20, 20), max_size=8))
def test_moving_never_leaves_the_steps_nor_loses_one(setup: Setup, moves: list[int]) -> None:
    moved = setup
    for by in moves:
        moved = moved.move(by)
        assert 0 <= moved.position <= len(moved.steps)
    assert moved.steps == setup.steps
    back = moved.move(-len(moved.steps))
    assert back.position == 0 and back.move(setup.position) == setup


@given(setups())
def test_starting_over_leaves_the_prompt_alone(setup: Setup) -> None:
    fresh = setup.restart()
    assert fresh.taken == () == fresh.steps
    assert (fresh.prompt, fresh.settings, fresh.seed) == (setup.prompt, setup.settings, setup.seed)
    assert not math.isnan(fresh.settings.temperature)


@given(setups())
def test_another_text_or_model_starts_the_accepted_tokens_afresh_and_nothing_else_does(setup: Setup) -> None:
    for fields in ({"prompt": setup.prompt + "!"}, {"chat": not setup.chat}, {"model": f"{setup.model}-2"}):
        assert setup.change(**fields).steps == ()
    changed = setup.change(seed=(setup.seed + 1) % 2**32, settings=setup.settings.replace(temperature=0.5))
    assert (changed.steps, changed.position) == (setup.steps, setup.position)


def test_links_from_before_still_name_the_models_beside_and_heads_are_none() -> None:
    setup = Setup(beside=(read_compared("gpt2"),))
    now = setup_fields(setup)
    before = {"beside" if name == "compared" else name: value for name, value in now.items() if name != "check"}
    assert read_setup(before) == Reading(setup)
    assert read_setup({**setup_fields(Setup()), "beside": "18.6"}) == Reading(Setup())  # a page's own field
