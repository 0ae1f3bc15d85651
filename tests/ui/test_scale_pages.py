"""The Plan pages as a reader meets them: they open without a model, follow their controls, and survive bad input."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from streamlit.testing.v1 import AppTest

from playground.plan import counting
from playground.plan.answers import answer_serving, fit_of
from playground.plan.law_answers import LAW_WORDS
from playground.plan.links import plan_link
from playground.plan.setup import CUSTOM, ScaleSetup
from playground.scaling.api_prices import ApiPrice, PriceTable
from playground.scaling.configs import load_preset
from playground.scaling.hardware import gpu_table
from playground.scaling.laws import LAWS
from playground.scaling.meta import MetaCount, count_on_meta
from playground.scaling.notes import disagreements
from playground.ui import runtime
from playground.ui.kit.messages import escape_markdown
from playground.ui.scale_page import data_page, laws_page, model_page, serving_page, training_page
from playground.ui.scale_page import page as page_frame
from playground.ui.scale_page.page import NOTES_TAB, PinnedValues, section_name
from playground.ui.scale_page.plan import PlanPage
from tests.plan.test_take_away import CHANGED
from tests.ui.conftest import Opened

PLAN: dict[str, PlanPage] = {
    module.PLAN.name: module.PLAN for module in (model_page, training_page, laws_page, serving_page, data_page)
}
OpenPlan = Callable[..., Opened]


def link_query(setup: ScaleSetup, page: str) -> str:
    return urlencode(plan_link(setup, page))


@pytest.fixture(scope="module", autouse=True)
def _quick_collections() -> Iterator[None]:
    """Streamlit collects all garbage after each run; here, too, what is imported need not be walked each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def open_plan(open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPlan]:
    """Open a Plan page, perhaps by a link; ends by checking that nobody loaded a model unasked."""
    asked: list[object] = []

    def open_at(page: str, query: str = "", *, may_load: bool = False, **held: object) -> Opened:
        opened = open_app(dict(parse_qsl(query)), run=False)
        if not may_load:
            monkeypatch.setattr(runtime, "_open_engine", lambda choice, progress: asked.append(choice))
        opened.at.switch_page(f"../../pages/{page}.py")
        return opened.hold(**held)

    yield open_at
    assert asked == []


def table(opened: Opened, page: str) -> dict[str, list[str]]:
    """The page's numbers by name: the text of each column."""
    data = opened.component(f"{page}_figures")
    return {row["name"]: [text for text, _ in row["cells"]] for row in data["rows"]}


def setup_of(opened: Opened) -> ScaleSetup:
    setup = opened.state(ScaleSetup)
    assert isinstance(setup, ScaleSetup)
    return setup


@pytest.mark.parametrize("page", PLAN)
def test_a_page_opens_with_its_numbers_and_without_a_model(open_plan: OpenPlan, page: str) -> None:
    opened = open_plan(page)
    assert opened.errors == []
    rows = opened.component(f"{page}_figures")["rows"]
    assert len(rows) >= 5 and any(row["lead"] for row in rows)
    assert all(row["how"]["formula"] and row["how"]["source"] for row in rows if row["how"])
    assert "not loaded" in opened.texts()
    assert len([button for button in opened.at.button if str(button.key).startswith("try_")]) == 3
    charts = [str(e.key) for e in opened.at.get("bidi_component") if str(e.key).endswith("_chart")]
    assert len([*charts, *opened.at.get("plotly_chart")]) <= 2  # hidden tabs compute nothing


@pytest.mark.parametrize("page", PLAN)
def test_every_section_shows_something_and_no_error(open_plan: OpenPlan, page: str) -> None:
    opened = open_plan(page)
    for tab in (*PLAN[page].sections, NOTES_TAB):
        opened.hold(**{f"{page}_section": tab})
        assert opened.errors == [], tab
        frame = {f"{page}_figures"}
        own = [element.key for element in opened.at.get("bidi_component") if element.key not in frame]
        pictures = [element.key for element in opened.at.get("plotly_chart")]
        buttons = [button.key for button in opened.at.button if button.key in ("scale_measure", "scale_gpus_reset")]
        agrees = "agree on what this page shows" in opened.texts()
        assert len([*own, *pictures, *buttons]) > 1 or agrees, tab  # the address bar alone is not enough


@pytest.mark.parametrize("page", PLAN)
def test_every_experiment_sets_the_page_up(open_plan: OpenPlan, page: str) -> None:
    opened = open_plan(page)
    titles = {section_name(title): title for title in (*PLAN[page].sections, NOTES_TAB)}
    for name, experiment in PLAN[page].experiments.items():
        opened.at.button(key=f"try_{page}_{name}").click()
        opened.hold(**{f"{page}_section": titles[experiment.section]})
        assert experiment.label in opened.texts()
        assert opened.errors == [], experiment.label
        for field, value in experiment.state.items():
            assert getattr(setup_of(opened), field) == value


def test_what_servings_experiments_say_is_what_their_tables_hold() -> None:
    """The samples were of a batch that does not fit the card, and 77 times was called nearly 128."""

    def tables(name: str) -> list[dict[str, float]]:
        each = PLAN["scale_serving"].experiments[name]
        (pins,) = each.puts
        assert isinstance(pins, PinnedValues)
        setups = [replace(ScaleSetup(), **values) for values in (each.state, *pins.scenarios)]
        return [{row.name: row.figure.value for row in answer_serving(setup) if row.figure} for setup in setups]

    for name, quantity, times in (("batch", "Throughput", "77 times"), ("samples", "One query", "2.1 times")):
        now, pinned = tables(name)
        assert all(one["Memory needed"] <= one["Memory of the GPUs"] for one in (now, pinned))
        assert f"{float(f'{pinned[quantity] / now[quantity]:.2g}'):g} times" == times
        assert times in PLAN["scale_serving"].experiments[name].look


def test_a_section_that_is_not_there_opens_the_first(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_training", "view=returns")
    assert len(opened.errors) == 1 and "none of this page" in opened.errors[0]
    again = open_plan("scale_training", "view=notes-or-checked")
    assert again.errors == [] and again.at.session_state["scale_training_section"] == NOTES_TAB


def test_twice_the_context_is_twice_the_cache(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_model")
    assert table(opened, "scale_model")["Key-value cache"] == ["8.59 GB (8.00 GiB)"]
    opened.at.select_slider(key="ScaleSetup.context").set_value(16384)
    opened.run()
    assert table(opened, "scale_model")["Key-value cache"] == ["17.18 GB (16.00 GiB)"]


def test_what_is_looked_at_is_sent_before_the_controls(open_plan: OpenPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    for part in ("_numbers", "_controls"):
        draw: Callable[[object], object] = getattr(page_frame, part)

        def noted(page: object, part: str = part, draw: Callable[[object], object] = draw) -> object:
            sent.append(part)
            return draw(page)

        monkeypatch.setattr(page_frame, part, noted)
    opened = open_plan("scale_training")
    opened.at.slider(key="ScaleSetup.mfu").set_value(0.2)
    opened.run()
    assert sent == ["_numbers", "_controls"] * 2


@pytest.mark.parametrize(
    ("page", "tab", "chart", "said"),
    [
        ("scale_serving", "Roofline", "scale_roofline_chart", "Reading the prompt is bound by compute"),
        ("scale_laws", "All laws", "scale_laws_chart", "to 72.2B (besiroglu) parameters"),
        ("scale_laws", "Returns", "scale_returns_chart", "From 3.4 to 2.8 nats"),
    ],
)
def test_the_sentence_that_moves_with_a_picture_is_part_of_it(
    open_plan: OpenPlan, page: str, tab: str, chart: str, said: str
) -> None:
    opened = open_plan(page, **{f"{page}_section": tab})
    assert said in opened.component(chart)["below"]


def test_numbers_carry_what_they_count(open_plan: OpenPlan) -> None:
    laws = table(open_plan("scale_laws"), "scale_laws")
    assert laws["Optimal parameters"] == ["40.31B parameters"] and laws["Optimal tokens"] == ["2.382T tokens"]
    data = table(open_plan("scale_data"), "scale_data")
    assert data["Under-representation of Punjabi"] == ["231.6 times"]
    assert data["Data for the drop in loss"] == ["4.575 times"]
    assert table(open_plan("scale_training"), "scale_training")["Tokens per parameter"] == ["1,868"]


def test_every_law_is_told_in_words_beside_its_source(open_plan: OpenPlan) -> None:
    for name, law in LAWS.items():
        texts = open_plan("scale_laws", f"law={name}").texts()
        assert escape_markdown(LAW_WORDS[name]) in texts and escape_markdown(law.source) in texts


def test_half_the_utilisation_is_twice_the_days(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_training")
    assert table(opened, "scale_training")["Training time"] == ["20.6 days"]
    opened.at.slider(key="ScaleSetup.mfu").set_value(0.2)
    opened.run()
    assert table(opened, "scale_training")["Training time"] == ["41.3 days"]


def test_the_memory_table_is_that_of_the_package(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_model", "config=DeepSeek-V3&gpus=32&batch=1")
    assert fit_of(setup_of(opened)).fits is True
    assert table(opened, "scale_model")["Cache per token"] == ["70.27 kB (68.62 KiB) a token"]
    assert table(opened, "scale_model")["Parameters"] == ["671B parameters (671,026,404,352)"]


BAD_CONFIGS = {
    "not JSON": "hello",
    "a list": "[1, 2]",
    "no model_type": "{}",
    "a size of null": '{"model_type": "llama", "hidden_size": null}',
    "zero": json.dumps(dict(load_preset("Llama-3-8B").config) | {"hidden_size": 0}),
    "negative": json.dumps(dict(load_preset("Llama-3-8B").config) | {"num_hidden_layers": -3}),
    "absurd": json.dumps(dict(load_preset("Llama-3-8B").config) | {"vocab_size": 1e30}),
    "wrong type": json.dumps(dict(load_preset("Llama-3-8B").config) | {"hidden_size": "wide"}),
    "unknown type": '{"model_type": "no_such_model", "hidden_size": 8}',
    "custom code": '{"model_type": "evil", "auto_map": {"AutoConfig": "evil--boom.Config"}}',
    "deep": "[" * 500 + "]" * 500,
    "deep object": '{"a":' * 500 + "1" + "}" * 500,
    "20 MB": '{"a":"' + "x" * 20_000_000 + '"}',
    "markup": '{"model_type": "<img src=x onerror=alert(1)>"}',
}


def test_a_bad_config_gives_one_sentence_and_keeps_the_last_model(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_model", "config=Mixtral-8x7B", scale_own=True)
    before = table(opened, "scale_model")
    messages = set()
    for name, text in BAD_CONFIGS.items():
        opened.at.text_area(key="scale_paste").set_value(text)
        opened.run()
        assert len(opened.errors) == 1, name
        assert len(opened.errors[0]) < 400, name
        messages.add(opened.errors[0])
        assert table(opened, "scale_model") == before, name
        assert setup_of(opened).config == "Mixtral-8x7B", name
    assert len(messages) >= len(BAD_CONFIGS) - 2  # each says what is wrong with it


def test_an_own_config_is_counted_and_travels_in_the_link(open_plan: OpenPlan) -> None:
    config = dict(load_preset("SmolLM2-135M").config) | {"num_hidden_layers": 2, "auto_map": {"AutoConfig": "x--y.Z"}}
    opened = open_plan("scale_model", scale_own=True)
    opened.at.text_area(key="scale_paste").set_value(json.dumps(config))
    opened.run()
    assert opened.errors == []
    small = setup_of(opened)
    assert small.config == CUSTOM
    again = open_plan("scale_model", link_query(small, "scale_model"))
    assert table(again, "scale_model")["Parameters"] == table(opened, "scale_model")["Parameters"]


def test_an_uploaded_price_table_travels_in_the_link(open_plan: OpenPlan) -> None:
    table = PriceTable((ApiPrice("house", "plain-1", 0.5, 1.5),), "uploaded table", "2026-03-01")
    query = link_query(ScaleSetup(prices=table), "scale_serving")
    opened = open_plan("scale_serving", query, scale_serving_section="API or own GPU")
    assert opened.errors == []
    rows = {row["name"]: row["cells"][0] for row in opened.component("scale_api")["rows"]}
    text, source = rows["API price of 1M tokens"]
    assert text == "$0.5 read, $0.5 cached, $1.5 written"
    assert source == "uploaded table, newest date 2026-03-01"
    cut = open_plan("scale_serving", query[:-20], scale_serving_section="API or own GPU")
    assert len(cut.errors) == 1 and "cut off or changed" in cut.errors[0]


def test_a_nested_text_config_is_read(open_plan: OpenPlan) -> None:
    inner = dict(load_preset("Llama-3-8B").config)
    opened = open_plan("scale_model", scale_own=True)
    opened.at.text_area(key="scale_paste").set_value(json.dumps({"model_type": "llava", "text_config": inner}))
    opened.run()
    assert opened.errors == []
    # with transformers' own vision tower, which the config leaves out, and the projector to it
    assert table(opened, "scale_model")["Parameters"] == ["8.35B parameters (8,354,748,416)"]


BAD_NUMBERS = {
    "scale_training": (("price", "0"), ("price", "-3"), ("dataset", "lots"), ("params", "1e99")),
    "scale_laws": (("budget", "nan"), ("size", "0")),
    "scale_data": (("web_share", "1.5"), ("speakers", "9T")),
}


@pytest.mark.parametrize("page", BAD_NUMBERS)
def test_a_bad_number_is_told_and_the_last_one_stays(open_plan: OpenPlan, page: str) -> None:
    opened = open_plan(page)
    before = table(opened, page)
    for field, text in BAD_NUMBERS[page]:
        opened.at.text_input(key=f"ScaleSetup.{field}").set_value(text)
        opened.run()
        assert len(opened.errors) == 1, field
        assert table(opened, page) == before
        assert setup_of(opened) == ScaleSetup()


def test_a_link_with_bad_values_applies_the_good_ones(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_training", "config=GPT-3-175B&mfu=1.4&dataset=300B&gpu=abacus&price=0&cluster=256")
    assert len(opened.errors) == 3
    setup = setup_of(opened)
    assert (setup.config, setup.dataset, setup.cluster) == ("GPT-3-175B", 300e9, 256)
    assert (setup.mfu, setup.gpu, setup.price) == (0.4, "H100 SXM", None)


@pytest.mark.parametrize("page", PLAN)
def test_a_link_brings_back_exactly_the_page(open_plan: OpenPlan, page: str) -> None:
    opened = open_plan(page, link_query(CHANGED, page))
    assert [error for error in opened.errors if "price table" not in error] == []
    assert link_query(setup_of(opened), page) == link_query(CHANGED, page)
    assert opened.component("address")["query"] == link_query(CHANGED, page)


def test_what_was_set_on_one_page_is_there_on_the_next(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_model", "config=Qwen2.5-7B&gpu=L4")
    opened.at.switch_page("../../pages/scale_serving.py")
    opened.run()
    assert (setup_of(opened).config, setup_of(opened).gpu) == ("Qwen2.5-7B", "L4")


def test_scenarios_are_pinned_side_by_side_up_to_four(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_model", scale_pins_box=True)
    for letter in "ABCD":
        opened.at.button(key="scale_pin").click()
        opened.run()
        titles = [title for title, _ in opened.component("scale_model_figures")["columns"]]
        assert titles[-1] == letter
        opened.at.select_slider(key="ScaleSetup.batch").set_value(2 ** "ABCD".index(letter))
        opened.run()
    assert opened.at.button(key="scale_pin").disabled
    cells = table(opened, "scale_model")["Key-value cache"]
    assert len(cells) == 5 and len(set(cells)) == 4  # the first pin and the last setup are both of batch 8
    opened.at.button(key="scale_unpin_B").click()
    opened.run()
    assert [title for title, _ in opened.component("scale_model_figures")["columns"]] == ["Now", "A", "C", "D"]


WITHOUT_SCENARIOS = {  # facts of the world, the machine at hand, or a list: the same whatever is planned
    ("scale_data", "Electricity"),
    ("scale_data", "Transfer and inverse scaling"),
    ("scale_data", "Published cases"),
    ("scale_serving", "This machine"),
    ("scale_training", "Hardware and prices"),
}
PINNED = "size=13e9&tokens=2e12&budget=3e22&dataset=2e12&demand=1e12&config=Qwen2.5-7B"


@pytest.mark.parametrize(
    ("page", "tab"),
    [(page, tab) for page, plan in PLAN.items() for tab in plan.sections if (page, tab) not in WITHOUT_SCENARIOS],
)
def test_a_pinned_scenario_is_in_every_picture(open_plan: OpenPlan, page: str, tab: str) -> None:
    def letters(opened: Opened) -> int:
        specs = [str(element.proto.spec) for element in opened.at.get("plotly_chart")]
        texts = [re.sub(r'"bdata":\s*"[^"]*"', "", spec) for spec in specs]  # numbers, whose letters mean nothing
        keys = [str(e.key) for e in opened.at.get("bidi_component") if str(e.key).startswith("scale_")]
        texts += [json.dumps(opened.component(key)).replace("\\n", " ") for key in keys]
        return sum(len(re.findall(r"(?<![A-Za-z])A(?![A-Za-z])", text)) for text in texts)

    opened = open_plan(page, PINNED, **{f"{page}_section": tab})
    before = letters(opened)
    opened.hold(scale_pins_box=True)
    opened.at.button(key="scale_pin").click()
    opened.run()
    main = json.dumps(opened.component(f"{page}_figures")).count('"A"')
    assert letters(opened) > before + main, "in the tab itself, not only in the figures above it"


def test_the_switch_shows_the_notes_number_beside_the_checked_one(open_plan: OpenPlan) -> None:
    link = "config=GPT-3-175B&dataset=300B&gpu=H100 NVL&cluster=256&mfu=1.0&basis=notes"
    opened = open_plan("scale_training", link)
    titles = [title for title, _ in opened.component("scale_training_figures")["columns"]]
    assert titles == ["As in the notes", "Checked"]
    assert table(opened, "scale_training")["Training time"] == ["237 days", "17.0 days"]


def test_every_disagreement_is_on_a_page_with_both_numbers_and_the_reason(open_plan: OpenPlan) -> None:
    left = {disagreement.topic: disagreement for disagreement in disagreements()}
    for page, plan in PLAN.items():
        opened = open_plan(page, **{f"{page}_section": NOTES_TAB})
        for topic in plan.topics:
            rows = opened.component(f"notes_{topic}")["rows"]
            disagreement = left.pop(topic, None)
            if disagreement is not None:
                assert escape_markdown(disagreement.why) in opened.texts()
                assert {row["name"] for row in rows} == {
                    f.name for f in (*disagreement.as_in_notes, *disagreement.checked)
                }
    assert left == {}


def test_a_plan_that_does_not_fit_says_what_to_change(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_model", "config=Llama-3-70B&batch=1&context=4096")
    assert "does not fit" in opened.texts() and "int4" in opened.texts()


def test_take_away_holds_link_command_and_downloads(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_serving", "config=Qwen2.5-7B&samples=4", take_away=True)
    code = [str(block.value) for block in opened.at.code]
    assert "config=Qwen2.5-7B&samples=4" in code[0]
    assert code[1].startswith("python -m playground calc infer --config Qwen2.5-7B")
    assert len(opened.at.get("download_button")) == 2


def test_the_meta_count_runs_on_request_and_agrees(open_plan: OpenPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def count(config: dict[str, Any]) -> MetaCount:
        calls.append(config)
        return MetaCount(8_030_261_248, (("mlp", 5),), "LlamaForCausalLM")

    monkeypatch.setattr(counting, "count_on_meta", count)
    opened = open_plan("scale_model", scale_model_section="Parameters")
    assert calls == []
    opened.at.button(key="scale_meta_config").click()
    opened.run()
    assert len(calls) == 1
    assert "agrees to the last parameter" in opened.texts()


def test_a_config_without_a_formula_is_counted_by_itself(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_model", scale_own=True, scale_model_section="Parameters")
    opened.at.text_area(key="scale_paste").set_value('{"model_type": "bloom", "hidden_size": 8}')
    opened.run()
    setup = opened.state(ScaleSetup)
    assert setup.own_config is not None
    total = count_on_meta(dict(setup.own_config.config)).total
    assert setup.config == CUSTOM and f"{total:,}" in str(opened.component("scale_parameters")["rows"])


def test_this_machine_is_measured_on_request(open_plan: OpenPlan) -> None:
    opened = open_plan("scale_serving", may_load=True, scale_serving_section="This machine")
    opened.at.button(key="scale_measure").click()
    opened.run()
    rows = opened.component("scale_machine")["rows"]
    assert rows[0]["name"] == "One decode step, measured"
    assert any("predicted" in row["cells"][0][0] for row in rows)


def test_an_edited_gpu_is_used_and_one_that_is_not_complete_stays_in_the_table(patience_s: float) -> None:
    """Streamlit's double cannot type into a data editor: its state is given by hand, and gone at the next run."""

    def script() -> None:
        import streamlit as st

        from playground.ui.kit import session
        from playground.ui.scale_page import store, training_page

        table = session.get(training_page.GpuTable)
        if "edits" in st.session_state:
            st.session_state[table.key] = st.session_state.pop("edits")
            before = table.base, table.key
            training_page._edited()
            assert (table.base, table.key) == before, "another table would close the cell that is being typed into"
            del st.session_state[table.key]
        training_page.hardware_section(store.scenarios())

    def edit(**edits: Any) -> None:
        app.session_state["edits"] = edits
        app.run()
        assert not app.exception

    app = AppTest.from_function(script, default_timeout=patience_s).run()
    states = app.session_state["playground_states"]
    table, built_in = states[training_page.GpuTable], len(gpu_table())
    assert table.version == 1 and len(table.rows) == built_in and not app.warning and app.button[0].disabled
    edit(edited_rows={0: {"W": 500}})
    (changed,) = states[ScaleSetup].own_gpus
    assert changed.watts == 500.0 and not app.warning
    edit(added_rows=[{"GPU": "Mine", "GB": 8}])
    assert states[ScaleSetup].own_gpus == (changed,) and app.warning[0].value.startswith("Mine")
    assert table.base[-1][:3] == ("Mine", None, 8.0), "what was typed is there after another tab"
    app.button[0].click().run()
    assert states[ScaleSetup].own_gpus == () and len(table.base) == built_in and not app.warning
