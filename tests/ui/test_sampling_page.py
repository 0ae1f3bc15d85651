"""The Sampling page through Streamlit's own test double, from the front door, on an engine with known numbers."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import streamlit as st

from playground.charts.numbers import percent
from playground.cli import main
from playground.engine.fake.codec import EOS_ID, VOCAB, FakeCodec
from playground.engine.fake.engine import FakeEngine
from playground.engine.serving.loading import ModelChoice
from playground.engine.types import TokenIds
from playground.errors import ModelNotFound
from playground.glossary import define
from playground.sampling.export import EXPORTS
from playground.sampling.orders import ORDERS
from playground.sampling.presets import PRESETS
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import SamplerSettings
from playground.state.sampling import Pins
from playground.state.setup import DEFAULT_PROMPT, MAX_PROMPT_CHARACTERS, Setup, setup_fields
from playground.store.place import DATA_VARIABLE
from playground.tuning.preset import PresetStore, preset_json
from playground.ui.sampling_page.experiments import EXPERIMENTS
from tests.ui.conftest import Opened

Open = Callable[..., Opened]
SECTIONS = ("Bars", "Pipeline", "Compare", "Why this token?", "Any word", "Proof")
MAIN = ("Temperature", "Top-k", "Top-p", "Min-p", "Typical-p")


def setup_of(app: Opened) -> Setup:
    setup = app.state(Setup)
    assert isinstance(setup, Setup)
    return setup


def table_of(app: Opened, column: str) -> pd.DataFrame:
    return next(frame.value for frame in app.at.dataframe if column in frame.value.columns)


# -- what one sees first -----------------------------------------------------------------------------------------------


def test_the_page_opens_with_bars_on_a_ready_made_prompt(open_app: Open) -> None:
    app = open_app()
    assert not app.errors
    assert app.at.text_area(key="w_prompt").label == "Prompt"
    assert app.at.text_area(key="w_prompt").value == DEFAULT_PROMPT
    row = app.engine.next_logits(app.engine.codec.encode(DEFAULT_PROMPT)).logits
    probabilities = np.exp(row - row.max()) / np.exp(row - row.max()).sum()
    expected = np.argsort(-row, kind="stable")[:15]
    assert [bar["pick"] for bar in app.bars["rows"]] == [*expected.tolist(), -1]
    assert app.bars["rows"][0]["rawText"] == f"{100 * probabilities[expected[0]]:.2f}%"
    assert app.bars["rows"][-1]["label"] == f"others ({VOCAB - 15})"


def test_the_five_sliders_carry_their_names(open_app: Open) -> None:
    assert [slider.label for slider in open_app().at.slider][:5] == list(MAIN)


def test_the_sidebar_says_which_model_is_in_use(open_app: Open) -> None:
    card = "\n".join(text.value for text in open_app().run().at.sidebar.markdown)
    assert "Fake model" in card and "float32" in card and "cpu" in card and "ready" in card
    assert "1 M parameters" in card and "0.00 GB (0.00 GiB)" in card


def test_a_model_that_loads_at_once_does_not_leave_the_card_loading(open_app: Open) -> None:
    """The card is drawn before the pictures wait for the model, so it must be drawn again."""
    assert "loading" not in "\n".join(text.value for text in open_app().at.sidebar.markdown)


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(
    "query", [{}, {"top_p": "0.9", "temperature": "0.7", "repetition_penalty": "1.2", "steps": "3.4"}]
)
def test_every_section_opens(open_app: Open, section: str, query: dict[str, str]) -> None:
    app = open_app(query).section(section)
    assert not app.errors
    assert app.texts()


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_alone_goes_through_every_section(open_app: Open, name: str) -> None:
    values = {
        "logit_bias": "7=2",
        "repetition_penalty": "1.3",
        "frequency_penalty": "1",
        "presence_penalty": "1",
        "no_repeat_ngram_size": "2",
        "dry": "0.8",
        "temperature": "0",
        "dynatemp": "0.5",
        "top_h": "0.4",
        "top_k": "5",
        "top_p": "0.5",
        "min_p": "0.3",
        "typical_p": "0.5",
        "epsilon_cutoff": "0.01",
        "eta_cutoff": "0.01",
        "top_n_sigma": "1",
        "xtc": "1",
        "mirostat": "2",
    }
    app = open_app({SAMPLERS[name].parameters[0].name: values[name], "steps": "116.104.101"})
    for section in SECTIONS:
        app.section(section)
        assert not app.errors, section
    assert SAMPLERS[name].label in app.texts() or app.at.dataframe


# -- sliders -----------------------------------------------------------------------------------------------------------


def test_a_moved_slider_changes_the_bars_and_asks_the_model_nothing(open_app: Open) -> None:
    app = open_app()
    calls, before = len(app.engine.calls), app.kept()
    assert calls > 0
    for key, value in (
        ("w_top_p", 0.3),
        ("w_temperature", 0.2),
        ("w_top_k", 2),
        ("w_min_p", 0.4),
        ("w_typical_p", 0.5),
    ):
        app.at.slider(key=key).set_value(value)
        app.run()
        assert getattr(setup_of(app).settings, key.removeprefix("w_")) == value
    assert app.kept() < before
    assert len(app.engine.calls) == calls


def test_top_k_keeps_k_and_the_others_name_it(open_app: Open) -> None:
    app = open_app()
    app.at.slider(key="w_top_k").set_value(4)
    app.run()
    assert app.kept() == 4
    assert app.bars["rows"][4]["rawText"].endswith("removed by Top-k")
    assert (app.bars["cutRow"], app.bars["cutText"]) == (4, "cut-off: 4 kept above")


def test_neutralise_turns_everything_off_and_keeps_the_order(open_app: Open) -> None:
    app = open_app({"top_p": "0.2", "temperature": "0.3", "order": "llama.cpp", "min_p": "0.1"})
    next(button for button in app.at.button if button.label == "Neutralise all").click()
    app.run()
    assert setup_of(app).settings == SamplerSettings(order=ORDERS["llama.cpp"])
    assert app.at.slider(key="w_top_p").value == 1.0
    assert app.kept() == 15


@pytest.fixture
def own_data(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path_factory.getbasetemp() / "data"))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.usefixtures("own_data")
def test_a_preset_sets_every_slider(open_app: Open, name: str) -> None:
    app = open_app()
    app.hold(presets=True)
    app.at.button(key=f"preset_{name}").click()
    app.run()
    settings = PRESETS[name].settings
    assert setup_of(app).settings == settings
    for slider in ("temperature", "top_k", "top_p", "min_p", "typical_p"):
        assert app.at.slider(key=f"w_{slider}").value == getattr(settings, slider)


@pytest.mark.usefixtures("own_data")
def test_a_kept_preset_stands_beside_the_built_in_ones(open_app: Open) -> None:
    chosen = SamplerSettings(temperature=0.4, top_p=0.9)
    PresetStore().persist("Support **bold**", chosen)
    app = open_app()
    app.hold(presets=True)
    app.at.button(key="kept_preset_Support **bold**").click()
    app.run()
    assert setup_of(app).settings == chosen
    app.at.button(key="forget_preset_Support **bold**").click()
    app.run()
    file = preset_json("Mine", chosen, "because").encode()
    app.at.file_uploader(key="preset_file").upload("preset.json", file[:20], "application/json")
    app.run()
    assert "cannot be read as JSON" in app.errors[0]
    app.at.file_uploader(key="preset_file").upload("preset.json", file, "application/json")
    app.run()
    app.at.button(key="preset_file_keep").click()
    app.run()
    (kept,) = PresetStore().presets()
    assert (kept.name, kept.settings, kept.why) == ("Mine", chosen, "because")
    PresetStore().delete("Mine")
    app.run()
    assert PresetStore().presets() == () and not [b for b in app.at.button if str(b.key).startswith("kept_preset_")]


def test_values_beyond_a_slider_widen_it(open_app: Open) -> None:
    app = open_app({"temperature": "9.5", "top_k": "40000", "min_p": "0.9"})
    assert not app.errors
    assert app.at.slider(key="w_temperature").value == 9.5 <= app.at.slider(key="w_temperature").max
    assert app.at.slider(key="w_top_k").value == 40_000


def test_the_second_group_has_every_other_sampler(open_app: Open) -> None:
    app = open_app()
    app.hold(more_samplers=True)
    assert not app.errors
    app.at.slider(key="w_top_n_sigma").set_value(1.0)
    app.run()
    assert "top_n_sigma" in setup_of(app).settings.active()
    app.at.text_input(key="w_logit_bias").set_value("0=5, 1=-5")
    app.run()
    assert setup_of(app).settings.logit_bias == ((0, 5.0), (1, -5.0))


@pytest.mark.parametrize("text", ["nonsense", "0=nan", "0=inf", "0=1000", "-1=2", "<script>=1", "1=1,1=2"])
def test_a_bad_bias_is_one_sentence_and_the_rest_stays(open_app: Open, text: str) -> None:
    app = open_app()
    app.hold(more_samplers=True)
    app.at.text_input(key="w_logit_bias").set_value(text)
    app.run()
    assert len(app.errors) == 1 and "logit" in app.errors[0]
    assert setup_of(app).settings.logit_bias == ()
    assert app.bars["rows"]
    app.at.text_input(key="w_logit_bias").set_value("3=1")
    assert not app.run().errors, "a mended value ends the complaint"


# -- order, seed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_is_chosen_by_name(open_app: Open, order: str) -> None:
    app = open_app({"temperature": "0.5", "top_p": "0.8"})
    app.at.segmented_control(key="w_order").set_value(order)
    app.run()
    assert setup_of(app).settings.order == ORDERS[order]
    steps = " → ".join(SAMPLERS[name].label for name in setup_of(app).settings.active())
    assert f"Applied in this order: {steps}." in app.texts()


def test_the_order_is_edited_by_hand(open_app: Open) -> None:
    app = open_app({"temperature": "0.5", "top_p": "0.8"})
    app.hold(order_editor=True)
    assert (
        app.at.button(key=f"up_{ORDERS['hf'][0]}").disabled and app.at.button(key=f"down_{ORDERS['hf'][-1]}").disabled
    )
    first = ORDERS["hf"].index("temperature")
    app.at.button(key="down_temperature").click()
    app.run()
    assert setup_of(app).settings.order.index("temperature") == first + 1
    assert app.at.segmented_control(key="w_order").value == "custom"


def test_the_seed_moves_the_draw_and_nothing_else(open_app: Open) -> None:
    app = open_app()
    before = [row["rawText"] for row in app.bars["rows"]]
    drawn = set()
    for seed in range(6):
        app.at.number_input(key="w_seed").set_value(seed)
        app.run()
        assert setup_of(app).seed == seed
        drawn.add(next((row["pick"] for row in app.bars["rows"] if row["chosen"]), None))
    assert len(drawn) > 1
    assert [row["rawText"] for row in app.bars["rows"]] == before


# -- stepping ----------------------------------------------------------------------------------------------------------


def test_accept_back_forth_and_start_over(open_app: Open) -> None:
    app = open_app()
    length = len(app.strip)
    for count in (1, 2, 3):
        app.at.button(key="accept_drawn").click()
        app.run()
        assert len(app.strip) == length + count and app.strip[-1]["kind"] == "step"
    steps = setup_of(app).steps
    app.at.button(key="step_back").click()
    app.run()
    assert [token["kind"] for token in app.strip[-3:]] == ["step", "step", "ghost"]
    assert setup_of(app).taken == steps[:2]
    app.at.button(key="step_forth").click()
    app.run()
    assert setup_of(app).taken == steps and app.at.button(key="step_forth").disabled
    app.at.button(key="start_over").click()
    app.run()
    assert len(app.strip) == length and setup_of(app).steps == ()
    assert app.at.button(key="step_back").disabled and app.at.button(key="start_over").disabled


def test_every_button_of_the_strip_has_a_name(open_app: Open) -> None:
    """An icon alone is read out as "undo icon"; and the strip's notes speak of "Forth"."""
    app = open_app({"steps": "104.105", "at": "1"})
    names = [app.at.button(key=key).label for key in ("step_back", "step_forth", "start_over")]
    assert names == ["Back", "Forth", "Start over"]


def test_the_same_seed_takes_the_same_steps(open_app: Open) -> None:
    texts = []
    for _ in range(2):
        app = open_app({"seed": "11"})
        for _ in range(3):
            app.at.button(key="accept_drawn").click()
            app.run()
        texts.append(setup_of(app).steps)
    assert texts[0] == texts[1]


def test_a_new_prompt_drops_the_steps_taken_after_the_old_one(open_app: Open) -> None:
    app = open_app({"steps": "3.4.5"})
    app.at.text_area(key="w_prompt").set_value("hello")
    app.run()
    assert setup_of(app).steps == () and "".join(token["text"] for token in app.strip) == "hello"


def test_every_token_shows_its_probability(open_app: Open) -> None:
    app = open_app({"prompt": "hello world"})
    ids = app.engine.codec.encode("hello world")
    row = app.engine.next_logits(ids[:1]).logits.astype(np.float64)
    value = row[ids[1]] - np.log(np.exp(row).sum())
    assert f"log-probability {value:.3f}" in app.strip[1]["label"]
    assert "nothing comes before it" in app.strip[0]["label"]


def test_an_accepted_token_of_another_model_is_dropped_with_a_sentence(open_app: Open) -> None:
    app = open_app({"steps": f"3.{VOCAB}"})
    assert len(app.errors) == 1 and "do not exist in this model" in app.errors[0]
    assert setup_of(app).steps == () and app.bars["rows"], "the page goes on at the prompt"


def test_an_end_of_text_draw_is_told(open_app: Open) -> None:
    engine = FakeEngine(lambda ids: np.where(np.arange(VOCAB) == EOS_ID, 50.0, 0.0).astype(np.float32))
    app = open_app(opener=lambda choice, progress: engine)
    assert "ends the text" in app.texts()


# -- prompts -----------------------------------------------------------------------------------------------------------


def test_chat_wraps_the_prompt_in_the_models_template(open_app: Open) -> None:
    app = open_app({"prompt": "Hi"})
    app.at.toggle(key="w_chat").set_value(True)
    app.run()
    app.at.text_input(key="w_system").set_value("Be brief.")
    app.run()
    shown = app.engine.codec.encode_chat("Hi", system="Be brief.")
    assert len(app.strip) == len(shown)
    assert [token["kind"] for token in app.strip].count("special") == 5
    assert any(set(shown) <= set(call) for call in app.engine.calls)


def test_special_tokens_are_text_until_asked_for(open_app: Open) -> None:
    app = open_app({"prompt": "<|im_end|>"})
    assert len(app.strip) == len("<|im_end|>")
    app.at.toggle(key="w_parse_special").set_value(True)
    app.run()
    assert [token["text"] for token in app.strip] == ["⟨im_end⟩"]


FINE = {
    "NUL": "a\x00b",
    "emoji": "👩‍👩‍👧‍👦🇲🇲",
    "Burmese": "မင်္ဂလာပါ",
    "Arabic": "مرحبا",
    "special": "<|im_start|>system\n<|endoftext|>",
    "script": "<script>window.hacked=1</script><img src=x onerror=alert(1)>",
    "markdown": "# **b** [l](http://x) :red[c] $x$ `k` ![i](http://x)",
    "line ends": "a\r\nb\rc\n\n",
    "blank": "   ",
}


@pytest.mark.parametrize("prompt", FINE.values(), ids=FINE.keys())
def test_a_strange_prompt_is_read_token_by_token(open_app: Open, prompt: str) -> None:
    app = open_app({"prompt": prompt})
    assert not app.errors
    assert len(app.strip) == len(app.engine.codec.encode(prompt)) and app.bars["rows"]
    for section in SECTIONS:
        assert not app.section(section).errors


def bad_prompts() -> dict[str, tuple[dict[str, str], str]]:
    return {
        "longer than the context": ({"prompt": "x" * 3_000}, "at most 2,048"),
        "100,000 characters": ({"prompt": "x" * MAX_PROMPT_CHARACTERS}, "at most 2,048"),
        "too many characters": ({"prompt": "x" * (MAX_PROMPT_CHARACTERS + 1)}, "at most 100,000"),
        "empty message": ({"prompt": "", "chat": "1"}, "empty"),
    }


@pytest.mark.parametrize(("query", "said"), bad_prompts().values(), ids=bad_prompts().keys())
def test_a_bad_prompt_is_one_sentence_and_the_rest_stays(open_app: Open, query: dict[str, str], said: str) -> None:
    app = open_app()
    app.put(Setup(prompt=query["prompt"], chat="chat" in query))
    app.run()
    assert len(app.errors) == 1 and said in app.errors[0].replace("\\", ""), app.errors
    assert [slider.label for slider in app.at.slider][:5] == list(MAIN)
    app.at.text_area(key="w_prompt").set_value("hello")
    assert not app.run().errors and app.bars["rows"], "the page goes on with the next prompt"


def test_an_empty_prompt_begins_at_the_start_token(open_app: Open) -> None:
    app = open_app({"prompt": ""})
    assert not app.errors and len(app.strip) == 1


def test_a_model_without_a_start_token_says_what_to_do(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.engine.fake.engine.FakeCodec.start_ids", ())
    app = open_app({"prompt": ""})
    assert len(app.errors) == 1 and "type at least one character" in app.errors[0]


def test_a_model_without_a_chat_template_says_so(open_app: Open) -> None:
    engine = FakeEngine(has_chat_template=False)
    app = open_app({"chat": "1"}, opener=lambda choice, progress: engine)
    assert len(app.errors) == 1 and "raw" in app.errors[0]


# -- links -------------------------------------------------------------------------------------------------------------


def test_a_link_reproduces_the_page(open_app: Open) -> None:
    app = open_app({"prompt": "hello မြန်မာ 😀", "top_p": "0.8", "order": "llama.cpp", "seed": "42"})
    for _ in range(2):
        app.at.button(key="accept_drawn").click()
        app.run()
    app.at.button(key="step_back").click()
    app.run()
    bars, strip = app.bars, app.strip
    other = open_app(setup_fields(setup_of(app)))
    assert not other.errors
    assert (other.bars, other.strip) == (bars, strip)
    assert other.at.slider(key="w_top_p").value == 0.8
    assert other.at.number_input(key="w_seed").value == 42
    assert other.at.segmented_control(key="w_order").value == "llama.cpp"


def test_the_address_bar_follows_what_is_on_screen(open_app: Open) -> None:
    app = open_app()
    app.at.slider(key="w_top_p").set_value(0.5)
    app.run()
    assert "top_p=0.5" in app.component("address")["query"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("top_p", "nan"),
        ("temperature", "inf"),
        ("top_k", "-5"),
        ("min_p", "abc"),
        ("seed", "-1"),
        ("order", "bogus"),
        ("steps", "x"),
        ("chat", "maybe"),
        ("logit_bias", "<script>"),
        ("model", "\x00"),
        ("check", "00000000"),
        ("dry_sequence_breakers", '["\\ud800"]'),
    ],
)
def test_a_bad_link_value_is_one_sentence_and_the_rest_is_applied(open_app: Open, field: str, value: str) -> None:
    app = open_app({"prompt": "hello", field: value})
    assert len(app.errors) == 1 and app.errors[0].endswith("\\.")
    assert "".join(token["text"] for token in app.strip) == "hello" and app.bars["rows"]


# -- compare, draw, lookup, proof, experiments, take away ---------------------------------------------------------------


def test_pins_stay_while_the_settings_move(open_app: Open) -> None:
    app = open_app({"top_k": "3"}).section("Compare")
    next(b for b in app.at.button if b.label == "Pin the present settings").click()
    app.run()
    app.at.slider(key="w_top_k").set_value(5)
    app.run()
    table = table_of(app, "chain")
    assert list(table[""]) == ["Now", "A"] and list(table["kept"]) == ["5", "3"]
    assert table["gained now"][1].startswith("2: ") and table["lost now"][1] == "0"
    assert table["KL, nats"][1] == "∞", "the present settings allow what the pin forbids"
    app.at.button(key="unpin_A").click()
    assert "Nothing is pinned" in app.run().texts()


def test_one_click_compares_three_engines_orders(open_app: Open) -> None:
    app = open_app({"temperature": "1.8", "top_p": "0.5"}).section("Compare")
    next(b for b in app.at.button if b.label.startswith("Compare hf")).click()
    app.run()
    table = table_of(app, "chain")
    assert list(table[""]) == ["Now", "A", "B", "C"] and list(table["order"]) == ["hf", "hf", "vllm", "llama.cpp"]


def test_the_draw_is_explained_by_where_u_falls(open_app: Open) -> None:
    app = open_app({"seed": "7"}).section("Why this token?")
    from playground.sampling.draw import UniformStream

    assert f"u = {UniformStream(7).at(0):.6f}" in app.texts()
    app.at.toggle(key="draw_many").set_value(True)
    app.run()
    assert len(app.at.get("plotly_chart")) == 2
    next(b for b in app.at.button if b.label == "Redraw").click()
    app.run()
    assert setup_of(app).seed == 8


@pytest.mark.parametrize("word", [" Paris", "Paris", "<script>", "😀" * 5, "**x**", " "])
def test_any_word_is_looked_up(open_app: Open, word: str) -> None:
    app = open_app({"top_k": "2"}).section("Any word")
    app.at.text_input(key="SamplingState.word").set_value(word)
    app.run()
    assert not app.errors and "removed by Top-k" in app.texts()


def test_a_probability_of_the_first_tokens_of_a_long_word_is_not_called_that_of_all(open_app: Open) -> None:
    app = open_app().section("Any word")
    app.at.text_input(key="SamplingState.word").set_value("Paris")
    said = app.run().texts()
    assert "All together: " in said and "together" not in said.replace("All together", "")
    app.at.text_input(key="SamplingState.word").set_value("😀" * 10)
    said = app.run().texts()
    assert "The first 8 together: " in said and "All together" not in said


def test_a_looked_up_word_has_no_start_token_and_its_own_space_only(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SentencePiece puts a space before every text: " Paris" is one piece there and not a space and another."""
    encode = FakeCodec.encode

    def spaced(self: FakeCodec, text: str, parse_special: bool = False) -> tuple[int, ...]:
        return (*self.start_ids, *encode(self, " " + text, parse_special=parse_special))

    monkeypatch.setattr(FakeCodec, "encode", spaced)
    app = open_app().section("Any word")
    app.at.text_input(key="SamplingState.word").set_value(" Paris")
    app.run().at.button(key="accept_True").click()
    assert setup_of(app.run()).taken == encode(FakeCodec(), " Paris")


def test_an_empty_word_asks_for_one(open_app: Open) -> None:
    app = open_app().section("Any word")
    app.at.text_input(key="SamplingState.word").set_value("")
    assert "Type a word" in app.run().texts()


def test_a_looked_up_token_can_be_accepted(open_app: Open) -> None:
    app = open_app().section("Any word")
    app.at.button(key="accept_True").click()
    app.run()
    assert setup_of(app).taken == app.engine.codec.encode(" Paris")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_sets_the_page_up(open_app: Open, name: str) -> None:
    app = open_app({"top_p": "0.1", "seed": "9", "steps": "1.2"})
    app.at.button(key=f"try_sampling_{name}").click()
    app.run()
    experiment = EXPERIMENTS[name]
    assert not app.errors
    assert (setup_of(app).prompt, setup_of(app).settings) == (experiment.setup["prompt"], experiment.setup["settings"])
    assert setup_of(app).steps == () and experiment.look in app.texts()
    assert app.state(Pins) == experiment.puts[0]
    app.at.button(key="end_sampling_experiment").click()
    assert experiment.look not in app.run().texts()


def test_a_link_that_no_server_takes_is_told(open_app: Open) -> None:
    app = open_app().hold(take_away=True)
    assert not app.at.warning
    app.at.text_area(key="w_prompt").set_value("é" * 20_000)
    app.run()
    assert any("characters, more than this server takes" in warning.value for warning in app.at.warning)


@pytest.mark.parametrize("engine_name", EXPORTS)
def test_take_away_shows_the_link_and_the_settings_as_code(open_app: Open, engine_name: str) -> None:
    app = open_app({"top_p": "0.65", "prompt": 'it\'s "hello"'})
    app.hold(take_away=True, export_engine=engine_name)
    assert not app.errors
    link, code = (block.value for block in app.at.code)
    assert "top_p=0.65" in link and "check=" in link
    assert "0.65" in code


STEPPED = {
    "prompt": "<|im_end|> hi",
    "steps": "104.105.33",
    "at": "2",
    "seed": "7",
    "frequency_penalty": "0.5",
    "top_k": "40",
}


@pytest.mark.parametrize(
    "query",
    [
        {"prompt": "hello"},
        STEPPED,
        STEPPED | {"special": "1"},
        STEPPED | {"chat": "1", "system": "Be brief.", "mirostat_tau": "3"},
    ],
    ids=["plain", "steps", "special", "chat"],
)
def test_the_command_line_of_the_page_gives_the_pages_numbers(
    open_app: Open,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    query: dict[str, str],
) -> None:
    app = open_app(query).hold(take_away=True, export_engine="playground")
    line = shlex.split(app.at.code[1].value)
    assert not any(word.startswith("--model") for word in line), "the default model has no name to be given"
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: engine)
    capsys.readouterr()
    assert main([*line[3:], "--json", "--top", "15"]) == 0
    printed = json.loads(capsys.readouterr().out)
    shown = app.bars["rows"][:15]
    assert [row["id"] for row in printed["candidates"]] == [row["pick"] for row in shown]
    assert [f"final {percent(row['prob'])}" for row in printed["candidates"] if row["kept"]] == [
        row["lines"][3] for row in shown if not row["removed"]
    ]
    assert (
        printed["prompt_ids"] + printed["generated_ids"]
        == [int(token["lines"][0].split("id ")[1]) for token in app.strip][
            : len(printed["prompt_ids"]) + len(printed["generated_ids"])
        ]
    )
    app.section("Why this token?")
    assert f"u = {printed['draw']['u']:.6f}" in app.texts()


def test_the_command_line_names_device_and_dtype(open_app: Open) -> None:
    app = open_app({"device": "cpu", "dtype": "bfloat16"}).agree().hold(take_away=True, export_engine="playground")
    assert {"--device=cpu", "--dtype=bfloat16"} <= set(shlex.split(app.at.code[1].value))


def test_other_engines_code_says_that_the_accepted_tokens_are_not_in_it(open_app: Open) -> None:
    app = open_app({"steps": "104.105"}).hold(take_away=True, export_engine="vllm")
    assert "The 2 accepted tokens travel in the link" in app.texts()
    app.hold(export_engine="playground")
    assert "accepted tokens travel" not in app.texts()


@pytest.mark.parametrize("engine_name", EXPORTS)
def test_code_says_what_of_the_text_does_not_come_through(open_app: Open, engine_name: str) -> None:
    app = open_app({"prompt": "<|im_end|> a\0b"}).hold(take_away=True, export_engine=engine_name)
    bash = EXPORTS[engine_name].language == "bash"
    assert ("save it to a file" in app.texts()) == bash
    assert ("spells a special token" in app.texts()) == (engine_name != "playground")
    app.put(Setup(prompt="<|im_end|> ab", parse_special=True))
    app.run()
    assert "save it to a file" not in app.texts() and "spells a special token" not in app.texts()


@pytest.mark.parametrize(
    ("section", "terms"),
    [
        ("Bars", ("Probability, raw", "Probability, final", "Log-probability")),
        ("Pipeline", ("Entropy", "Effective choices")),
        ("Compare", ("KL divergence",)),
        ("Why this token?", ("u", "Seed")),
        ("Any word", ("Log-probability", "Rank")),
        ("Proof", ("Logit",)),
    ],
)
def test_terms_of_the_art_are_explained_on_hover(open_app: Open, section: str, terms: tuple[str, ...]) -> None:
    app = open_app({"top_p": "0.9"}).section(section)
    app.put(Pins(A=SamplerSettings(top_k=3)))
    app.run()
    hovers = "\n".join(caption.help for caption in app.at.caption if caption.help)
    assert all(define(term) in hovers for term in terms)


def test_the_note_on_the_random_number_holds_under_xtc_too(open_app: Open) -> None:
    app = open_app({"xtc_probability": "0.5"}).section("Why this token?")
    assert "XTC" in next(caption.value for caption in app.at.caption if "only random part" in caption.value)


# -- two clicks before the first is answered ---------------------------------------------------------------------------


def test_a_pick_keeps_a_slider_moved_since_the_bars_were_drawn(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The callback belongs to the picture it was drawn with; the settings are the present ones all the same."""

    def stand_in(key: str, position: int, ids: list[int], on_pick: Callable[[int], None]) -> Callable[[], None]:
        st.button("pick", key="pick", on_click=on_pick, args=(ids[0],))
        return lambda: None

    monkeypatch.setattr("playground.ui.sampling_page.view.on_picked", stand_in)
    app = open_app()
    app.put(Setup(settings=SamplerSettings(top_p=0.5)))
    app.at.button(key="pick").click()
    app.run()
    assert setup_of(app).settings.top_p == 0.5 and len(setup_of(app).steps) == 1
    app.put(setup_of(app).accept(5))  # a first click, not yet drawn
    app.at.button(key="pick").click()
    app.run()
    assert setup_of(app).steps[1:] == (5,)


def test_a_click_on_the_strip_keeps_a_slider_moved_since(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def stand_in(tokens: object, *, key: str, label: str, on_pick: Callable[[int], None], height: str) -> None:
        st.button("go", key="go", on_click=on_pick, args=(len(DEFAULT_PROMPT),))

    monkeypatch.setattr("playground.ui.sampling_page.steps.token_strip", stand_in)
    app = open_app({"prompt": DEFAULT_PROMPT, "steps": "104.105"})
    before = setup_of(app)
    app.put(replace(before, settings=SamplerSettings(top_p=0.5)))
    app.at.button(key="go").click()
    app.run()
    assert setup_of(app).settings.top_p == 0.5 and setup_of(app).steps == before.steps


def test_a_word_accepted_twice_before_the_answer_is_accepted_once(open_app: Open) -> None:
    app = open_app({"prompt": "hello"}).section("Any word")
    app.put(setup_of(app).accept(104))
    app.at.button(key="accept_True").click()
    app.run()
    assert setup_of(app).steps == (104,)


def test_a_sampler_moved_twice_before_the_editor_is_drawn_again_moves_itself(open_app: Open) -> None:
    app = open_app().hold(order_editor=True)
    order = list(ORDERS["hf"])
    place = order.index("temperature")
    order[place], order[place + 1] = order[place + 1], order[place]
    app.put(Setup(settings=SamplerSettings(order=tuple(order))))  # the first click's work
    app.at.button(key="down_temperature").click()
    app.run()
    assert setup_of(app).settings.order.index("temperature") == place + 2


def test_a_bias_on_a_token_the_model_lacks_is_told(open_app: Open) -> None:
    app = open_app({"logit_bias": "99999999=5"})
    assert any("names token 99999999" in warning.value for warning in app.at.warning)


# -- tables, log scale, the glossary -----------------------------------------------------------------------------------


def test_rows_scale_and_table(open_app: Open) -> None:
    app = open_app().hold(bar_options=True)
    app.at.slider(key="SamplingState.rows").set_value(40)
    app.run()
    assert len(app.bars["rows"]) == 41
    app.at.segmented_control(key="SamplingState.scale").set_value("log")
    app.run()
    assert app.bars["ticks"][-1]["text"] == "100%"
    app.at.segmented_control(key="SamplingState.shape").set_value("table")
    app.run()
    table = app.at.dataframe[0].value
    assert list(table["rank"]) == list(range(1, 41)) and list(table["drawn"]).count("▶") <= 1


def test_the_csv_holds_the_whole_vocabulary_and_no_formula() -> None:
    import csv
    import io

    from playground.inspection.next_token import distribution_csv
    from playground.sampling.chain import examine

    engine = FakeEngine()
    ids: TokenIds = engine.codec.encode("hello")
    row = engine.next_logits(ids)
    text = distribution_csv(examine(row.logits, SamplerSettings(top_k=3), prompt_ids=ids), engine.codec)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == VOCAB and {int(line["id"]) for line in rows} == set(range(VOCAB))
    assert sum(float(line["raw_probability"]) for line in rows) == pytest.approx(1, abs=1e-5)
    assert [line["removed_by"] for line in rows[:4]] == ["", "", "", "top_k"]
    assert not any(line["text"][:1] in ("=", "+", "-", "@") for line in rows)


def test_a_pin_shows_what_its_settings_show_when_they_are_the_present_ones(open_app: Open) -> None:
    """Mirostat goes on from the accepted tokens under the pin's own target, not under the present settings'."""
    rows = []
    for present in ({}, {"mirostat_tau": "1.5"}):
        app = open_app({"steps": "116.104.101"} | present, run=False)
        app.put(Pins({"A": SamplerSettings(mirostat_tau=1.5)}))
        rows.append(table_of(app.section("Compare"), "gained now").set_index(""))
    of_pin, of_present = rows[0].loc["A"], rows[1].loc["Now"]
    assert (of_pin["kept"], of_pin["H, nats"]) == (of_present["kept"], of_present["H, nats"])
    assert of_pin["H, nats"] != rows[0].loc["Now", "H, nats"]


def test_the_glossary_finds_a_term_and_going_back_loses_nothing(open_app: Open) -> None:
    app = open_app({"prompt": "hello", "top_p": "0.4"})
    app.at.switch_page("../../pages/glossary.py")
    app.run()
    app.at.text_input(key="glossary_search").set_value("entropy")
    assert "**Entropy**" in app.run().texts()
    app.at.text_input(key="glossary_search").set_value("no such term")
    assert "No term matches" in app.run().texts()
    app.at.switch_page("../../pages/sampling.py")
    app.run()
    assert app.at.slider(key="w_top_p").value == 0.4 and app.at.text_area(key="w_prompt").value == "hello"


# -- models ------------------------------------------------------------------------------------------------------------


def test_a_model_that_cannot_be_loaded_gives_a_sentence_with_a_next_step(open_app: Open) -> None:
    def fail(choice: object, progress: object) -> FakeEngine:
        raise ModelNotFound("There is no model called <b>x</b>: choose one in the sidebar.")

    app = open_app({"model": "org/x"}, opener=fail).agree()
    assert app.errors == [r"There is no model called \<b\>x\<\/b\>\: choose one in the sidebar\."]
    assert [slider.label for slider in app.at.slider][:5] == list(MAIN)
    assert "could not be loaded" in "\n".join(text.value for text in app.at.sidebar.markdown)


def test_a_defect_in_a_loader_is_a_sentence_too(open_app: Open) -> None:
    def fail(choice: object, progress: object) -> FakeEngine:
        raise RuntimeError("deep inside")

    app = open_app(opener=fail)
    assert len(app.errors) == 1 and "could not be loaded" in app.errors[0]


def test_a_broken_model_is_not_tried_at_every_click_but_when_asked(open_app: Open, engine: FakeEngine) -> None:
    tries = []

    def second_time(choice: object, progress: object) -> FakeEngine:
        tries.append(choice)
        if len(tries) == 1:
            raise ModelNotFound("The hub is out of reach: try again later.")
        return engine

    app = open_app(opener=second_time)
    app.at.slider(key="w_top_p").set_value(0.5)
    app.run()
    assert app.errors and len(tries) == 1
    app.at.button(key="try_model_again").click()
    assert not app.run().errors and app.bars["rows"] and len(tries) == 2


def test_after_a_failure_another_model_can_be_chosen(open_app: Open, engine: FakeEngine) -> None:
    def sometimes(choice: object, progress: object) -> FakeEngine:
        if getattr(choice, "spec", None) == "org/broken":
            raise ModelNotFound("Not here: choose another one.")
        return engine

    app = open_app({"model": "org/broken", "prompt": "hello"}, opener=sometimes).agree()
    assert app.errors
    from playground.ui.workspace.model_picker import DEVICES

    app.put(Setup(prompt="hello", device=DEVICES[0]))
    app.run()
    assert not app.errors and app.bars["rows"]


def test_without_the_bundled_weights_the_page_offers_the_hub(
    open_app: Open, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.models.bundled.bundled_available", lambda: False)

    def opener(choice: ModelChoice, progress: object) -> FakeEngine:
        if choice.spec is None:
            raise ModelNotFound("The bundled model's package is not installed: install it, or fetch it from the hub.")
        return engine

    app = open_app(opener=opener)
    assert any("not installed" in error for error in app.errors)
    app.at.button(key="fetch_default_model").click()
    app.run()
    assert not app.errors and app.bars["rows"]
    assert app.state(Setup).model == "HuggingFaceTB/SmolLM2-135M-Instruct"


def test_a_link_that_names_another_model_asks_before_it_loads_one(open_app: Open) -> None:
    opened: list[ModelChoice] = []

    def opener(choice: ModelChoice, progress: object) -> FakeEngine:
        opened.append(choice)
        return FakeEngine()

    app = open_app({"model": "org/other", "prompt": "hello", "steps": "104", "seed": "3"}, opener=opener)
    assert opened == [ModelChoice()] and "org\\/other" in app.texts() and app.bars["rows"]
    assert (setup_of(app).prompt, setup_of(app).seed, setup_of(app).steps) == ("hello", 3, ())
    app.agree()
    assert opened == [ModelChoice(), ModelChoice("org/other")]
    assert (setup_of(app).model, setup_of(app).steps) == ("org/other", (104,)) and not app.errors


def test_a_reader_may_stay_with_the_model_in_use(open_app: Open) -> None:
    app = open_app({"model": "org/other", "prompt": "hello"})
    app.at.button(key="keep_present_model").click()
    app.run()
    assert setup_of(app).model is None and "not loaded here" not in app.texts()
