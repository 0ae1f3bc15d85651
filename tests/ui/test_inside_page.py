"""The page "Inside the model" through Streamlit's own test double, on engines with known numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, cast

import numpy as np
import pytest
from pandas import DataFrame

from playground.engine.api import Hidden
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.text.display import glyphs
from playground.errors import Cancelled
from playground.inspection.lens import MAX_POSITIONS
from playground.state.inside import InsideState
from playground.state.link_fields import link_of, read_link
from playground.state.setup import DEFAULT_PROMPT
from playground.ui.inside_page import timing_section
from playground.ui.inside_page.experiments import EXPERIMENTS
from playground.ui.workspace import speed
from tests.engine.small import small_loaded
from tests.ui.conftest import Opened

Open = Callable[..., Opened]
IDS = tuple(FakeEngine().codec.encode(DEFAULT_PROMPT))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(autouse=True)
def short_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    speed.timings().clear()  # a server's, for all its readers
    monkeypatch.setattr(timing_section, "QUICK", (8, 16, 32))
    monkeypatch.setattr(timing_section, "LENGTHS", (8, 16, 32, 64))


def open_page(open_app: Open, query: dict[str, str] | None = None, **options: Any) -> Opened:
    app = open_app(query or {}, run=False, **options)
    app.at.switch_page("../../pages/inside.py")
    return app.run()


def grid(app: Opened) -> dict[str, Any]:
    return app.component("lens_grid")


def cell_text(app: Opened, depth: int, column: int) -> str:
    data = grid(app)
    text: str = data["texts"][data["tops"][depth * len(data["tokens"]) + column]]
    return text


def answer_at(engine: FakeEngine, position: int) -> int:
    return int(engine.next_logits(IDS[: position + 1]).logits.argmax())


def top_list(app: Opened) -> list[dict[str, Any]]:
    rows = app.component("lens_top")["rows"]
    assert isinstance(rows, list)
    return rows


def frame(app: Opened, column: str) -> DataFrame:
    return next(element.value for element in app.at.dataframe if column in element.value.columns)


# -- the lens ----------------------------------------------------------------------------------------------------------


def test_the_page_opens_with_the_lens_of_the_prompt_and_its_top_row_is_the_models_answer(open_app: Open) -> None:
    app = open_page(open_app)
    assert not app.errors
    data = grid(app)
    assert len(data["tokens"]) == len(IDS) and data["depths"] == ["embedding", "layer 1", "layer 2 (answer)"]
    for column in (0, len(IDS) // 2, len(IDS) - 1):
        answer = app.engine.codec.piece(answer_at(app.engine, column), IDS[: column + 1])
        assert cell_text(app, 2, column) == glyphs(answer)
    assert top_list(app)[0]["label"].endswith(f"id {answer_at(app.engine, len(IDS) - 1)}")
    assert data["picked"] == [2, len(IDS) - 1] and len(top_list(app)) == 10
    assert "the lens reads it early" in app.texts() and "What it does NOT show" in app.texts()


def test_another_colour_or_cell_asks_nothing_of_the_model(open_app: Open) -> None:
    app = open_page(open_app)
    calls, before = len(app.engine.calls), grid(app)
    assert set(before["shades"]) == {"probability", "entropy", "divergence"}, "the browser has all colours"
    assert app.component("inside_colour")["value"] == "probability"
    app.put(InsideState(colour="entropy"))
    app.run()
    assert grid(app) == before, "another colour sends no cell again"
    assert app.component("inside_colour")["value"] == "entropy"
    assert "colour=entropy" in app.component("address")["query"]
    app.put(InsideState(colour="entropy", depth=1, position=4))
    app.run()
    assert grid(app)["picked"] == [1, 4] and "(position 4)" in app.texts()
    assert len(app.engine.calls) == calls


def test_a_cells_top_ten_and_its_followed_token(open_app: Open) -> None:
    app = open_page(open_app, {"depth": "1", "position": "5"})
    calls = len(app.engine.calls)
    best = np.argsort(-app.engine.next_logits(IDS[:6]).logits)[:10]
    assert [int(row["label"].rsplit("id ", 1)[1]) for row in top_list(app)] == best.tolist()
    assert app.component("lens_top")["chosen"] == 0, "the answer's token is followed until another is chosen"
    app.put(InsideState(depth=1, position=5, follow=int(best[3])))
    app.run()
    assert app.component("lens_top")["chosen"] == 3 and len(app.engine.calls) == calls
    app.at.text_input(key="inside_any").set_value(" Paris")
    app.run()
    paris = app.engine.codec.encode(" Paris")[0]
    assert f"follow={paris}" in app.component("address")["query"]
    assert app.component("lens_top")["chosen"] == (list(best).index(paris) if paris in best else -1)


def test_a_new_text_leaves_the_old_texts_cell(open_app: Open) -> None:
    app = open_page(open_app, {"depth": "0", "position": "2", "follow": "65"})
    assert grid(app)["picked"] == [0, 2]
    app.at.text_area(key="w_prompt").set_value("hello world")
    app.run()
    assert grid(app)["picked"] == [2, len(grid(app)["tokens"]) - 1]
    assert "follow" not in app.component("address")["query"]


def test_a_long_text_is_capped_and_the_cap_is_said(open_app: Open) -> None:
    app = open_page(open_app, {"prompt": "a" * 200})
    data = grid(app)
    assert len(data["tokens"]) == MAX_POSITIONS and data["first"] == 200 - MAX_POSITIONS
    assert (
        f"looks at {MAX_POSITIONS} positions at once" in app.texts()
        and "still reads all that stands before" in app.texts()
    )
    app.at.slider(key="inside_start").set_value(10)
    app.run()
    assert grid(app)["first"] == 10 and "from=10" in app.component("address")["query"]
    assert max(map(len, app.engine.calls)) == 200


@pytest.mark.parametrize(
    "prompt", ["a", "the the the the the the", "<script>alert(1)</script> **$x$** `|` ‮abc", "😀", "မြန်မာ\x00စာ", ""]
)
def test_one_token_a_repeated_token_and_hostile_text_are_shown(open_app: Open, prompt: str) -> None:
    app = open_page(open_app, {"prompt": prompt})
    assert not app.errors and grid(app)["tokens"]
    assert "<script>" not in app.texts()


def test_a_text_longer_than_the_model_reads_is_one_sentence(open_app: Open) -> None:
    app = open_page(open_app, {"prompt": "b" * 3000})
    assert len(app.errors) == 1 and "shorten it" in app.errors[0]


def test_a_model_without_hidden_states_says_so_and_the_rest_works(open_app: Open) -> None:
    app = open_page(open_app, opener=lambda choice, progress: FakeEngine(lacks=frozenset({Hidden})))
    assert len(app.errors) == 1 and "Hidden states" in app.errors[0] and "choose another model" in app.errors[0]
    app.hold(inside_section="Anatomy")
    assert not app.errors and "1,000,000 parameters" in app.texts()


# -- anatomy -----------------------------------------------------------------------------------------------------------


def test_the_anatomy_sums_to_the_models_own_count(open_app: Open) -> None:
    app = open_page(open_app, {"show": "anatomy"})
    table = frame(app, "tensors")
    assert list(table["part"])[-1] == "sum" and table["parameters"].iloc[-1] == app.engine.info.parameters
    assert table["parameters"].iloc[:-1].sum() == app.engine.info.parameters
    assert "No formula here knows" in app.texts()
    llamas = frame(app, "feed-forward width").set_index("model")
    assert llamas.loc["Llama 2 70B", "feed-forward width"] == "22,016 → 28,672", "the notes' number and the config's"
    assert llamas.loc["this model", "layers"] == "2" and "Jamba" in app.texts()


def test_a_real_architecture_has_its_formula_beside_it(open_app: Open) -> None:
    engine = TransformersEngine(small_loaded("llama", kv_heads=2, heads=4, head_dim=8))
    count = engine.loaded.model.num_parameters()
    app = open_page(open_app, {"show": "anatomy"}, opener=lambda choice, progress: cast(Any, engine))
    assert f"{count:,} parameters: the same" in app.texts()
    assert "sharing 2 heads of keys and values" in app.texts().replace("\\", "")


# -- prefill and decode ------------------------------------------------------------------------------------------------


def test_opening_measures_and_the_caches_bytes_equal_the_formula(open_app: Open) -> None:
    app = open_page(open_app, {"show": "timing"})
    assert not app.errors
    assert list(frame(app, "read in")["tokens"]) == ["8", "16", "32 ◆"]
    sizes = frame(app, "measured, bytes")
    assert (sizes["by formula, bytes"] == sizes["measured, bytes"]).all() and len(sizes) == 3
    assert "are **equal** at every length" in app.texts()
    assert "predicted" in app.texts() and "Not measured yet" in app.texts()


def test_a_prediction_can_be_checked_and_a_measurement_serves_all_sessions(open_app: Open) -> None:
    app = open_page(open_app, {"show": "timing", "ahead": "100"})
    calls = len(app.engine.calls)
    app.at.button(key="inside_check").click()
    app.run()
    assert len(app.engine.calls) > calls and "**100 tokens:**" in app.texts() and "the prediction was" in app.texts()
    assert list(frame(app, "read in")["tokens"]) == ["8", "16", "32 ◆", "100 ◆"]
    calls = len(app.engine.calls)
    app.at.number_input(key="inside_ahead").set_value(300)
    app.run()
    assert "**300 tokens:**" in app.texts() and len(app.engine.calls) == calls, "arithmetic alone"
    app.at.button(key="inside_measure_long").click()
    app.run()
    assert list(frame(app, "read in")["tokens"]) == ["8", "16", "32", "64 ◆"]


@pytest.mark.parametrize("picture", timing_section.PICTURES)
def test_every_timing_picture_is_drawn(open_app: Open, picture: str) -> None:
    app = open_page(open_app, {"show": "timing"})
    app.put(InsideState(picture=picture))
    app.run()
    assert not app.errors and timing_section.PICTURES[picture][0] in app.texts()


def test_a_model_without_a_cache_says_so_on_every_part(open_app: Open) -> None:
    engine = TransformersEngine(small_loaded("mamba", heads=0, kv_heads=0, head_dim=0))
    app = open_page(open_app, {"show": "timing"}, opener=lambda choice, progress: cast(Any, engine))
    assert not app.errors and "keeps no key-value cache" in app.texts()
    app.put(InsideState(picture="Cache"))
    app.run()
    assert not app.errors and "nothing that grows with the text" in app.texts()
    app.hold(inside_section="Logit lens")
    assert not app.errors and grid(app)["depths"][-1] == "layer 2 (answer)", "a Mamba has layers to look into"
    app.hold(inside_section="Anatomy")
    assert "No attention" in app.texts() and "recurrent" in app.texts()


def test_a_stopped_measurement_frees_the_model_and_can_be_run_again(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*args: object) -> NoReturn:
        raise Cancelled("stopped")

    with monkeypatch.context() as patched:
        patched.setattr(timing_section, "_measure", stopped)
        app = open_page(open_app, {"show": "timing"})
        assert "Stopped: the model is free" in app.texts() and not app.errors
    app.at.button(key="run_again").click()
    app.run()
    assert "are **equal** at every length" in app.texts()


# -- links, experiments, files -----------------------------------------------------------------------------------------


def test_the_link_brings_everything_back(open_app: Open) -> None:
    chosen = InsideState("divergence", 3, 1, 9, 65, 700, "Cache")
    assert read_link(InsideState, link_of(chosen)).state == chosen
    assert link_of(InsideState()) == {}
    app = open_page(open_app, {"colour": "divergence", "depth": "1", "position": "3", "follow": "70"})
    query = app.component("address")["query"]
    assert all(part in query for part in ("colour=divergence", "depth=1", "position=3", "follow=70", "prompt="))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("show", "<script>"),
        ("colour", "red"),
        ("depth", "-1"),
        ("position", "1e9"),
        ("follow", "９"),
        ("ahead", "9" * 30),
        ("from", "nan"),
    ],
)
def test_a_bad_link_field_is_one_sentence_and_the_rest_is_applied(open_app: Open, field: str, value: str) -> None:
    app = open_page(open_app, {field: value})
    assert len(app.errors) == 1 and grid(app)["tokens"]


def test_numbers_beyond_the_model_are_brought_back_into_it(open_app: Open) -> None:
    app = open_page(open_app, {"depth": "900", "position": "90000", "follow": "9000000"})
    assert not app.errors and grid(app)["picked"] == [2, len(IDS) - 1]
    assert app.component("lens_top")["chosen"] == 0


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_sets_its_scene(open_app: Open, name: str) -> None:
    app = open_page(open_app)
    app.at.button(key=f"try_inside_{name}").click()
    app.run()
    assert not app.errors and EXPERIMENTS[name].label in app.texts()
    assert app.at.text_area(key="w_prompt").value == EXPERIMENTS[name].setup["prompt"]


def test_take_away_has_the_link_and_the_files_of_the_open_section(open_app: Open) -> None:
    app = open_page(open_app).hold(take_away=True)
    assert any("/inside" in code.value or "prompt=" in code.value for code in app.at.code)
    for section, count in (("Logit lens", 3), ("Anatomy", 1), ("Prefill and decode", 1)):
        app.hold(inside_section=section)
        app.run()
        assert not app.errors and len(app.at.get("download_button")) == count, section
