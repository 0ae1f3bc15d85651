"""The Attention page on an engine with known numbers: what is shown, what costs no model call, what is refused."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from benchmarks.bench_attention import bertviz_html
from playground.charts.attention_bytes import decoded
from playground.charts.attention_html import attention_html
from playground.engine.api import Attention
from playground.engine.fake.engine import FakeEngine, fake_info
from playground.engine.hf.engine import TransformersEngine
from playground.generation.document import pieces
from playground.inspection.attention import Selection, attention_matrix, head_figures, rollout
from playground.inspection.attention_parts import repeated_random_ids
from playground.state.attention import AttentionState
from playground.state.link_fields import link_of, read_link
from playground.ui.attention_page.controls import find_tokens
from playground.ui.components.attention import FILE_SCRIPT, FILE_STYLE
from tests.engine.small import small_loaded
from tests.ui.conftest import Opened

standalone_page = partial(attention_html, script=FILE_SCRIPT, style=FILE_STYLE)
PROMPT = "the cat sat on the mat, the cat"
OpenApp = Callable[..., Opened]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def open_page(open_app: OpenApp) -> Callable[..., Opened]:
    def open_at(prompt: str = PROMPT, **fields: str) -> Opened:
        page = open_app({"prompt": prompt, **fields}, run=False)
        page.at.switch_page("../../pages/attention.py")
        return page.run()

    return open_at


def ids_of(page: Opened, prompt: str = PROMPT) -> tuple[int, ...]:
    return page.engine.codec.encode(prompt)


def values(page: Opened, panel: int = 0, key: str = "attention_view") -> np.ndarray[Any, Any]:
    """What the browser would read out of a heatmap: the lower triangle, row by row."""
    return decoded(page.component(key)["panels"][panel]["codes"])


def expected(page: Opened, selection: Selection, prompt: str = PROMPT, **how: bool) -> np.ndarray[Any, Any]:
    matrix = attention_matrix(page.engine.attentions(ids_of(page, prompt)), selection, **how)
    return matrix.values[np.tril_indices(matrix.values.shape[0])]


def texts(page: Opened) -> str:
    return "\n".join(str(part.value) for part in (*page.at.markdown, *page.at.caption, *page.at.info, *page.at.error))


# -- the head ----------------------------------------------------------------------------------------------------------


def test_the_page_opens_with_all_heads_and_a_head_of_its_choice(open_page: Callable[..., Opened]) -> None:
    page = open_page()
    overview, view = page.component("attention_overview"), page.component("attention_view")
    assert len(overview["places"]) == 4 and overview["layers"] == [0, 1] and overview["heads"] == 2
    assert overview["locked"] == view["locked"] and view["locked"] != [-1, -1]
    layer, head = view["locked"]
    np.testing.assert_allclose(values(page), expected(page, Selection(layer, (head,))), atol=1.6e-5)
    attention = page.engine.attentions(ids_of(page))
    share = next(f.first for f in head_figures(attention) if (f.layer, f.head) == (layer, head))
    assert f"**{100 * share:.2f}%** to the first token" in texts(page)
    assert "Attention is not an explanation" in texts(page)
    assert len(view["tokens"]) == len(ids_of(page))


@pytest.mark.parametrize(
    ("heads", "selection"),
    [
        ("1.0", Selection(1, (0,))),
        ("0.0+1.max", Selection(0, (0, 1), "max")),
        ("1.all.min", Selection(1, (), "min")),
        ("all.mean", Selection(None, ())),
    ],
)
def test_a_link_shows_the_heads_it_names(open_page: Callable[..., Opened], heads: str, selection: Selection) -> None:
    page = open_page(heads=heads, hide_first="1")
    np.testing.assert_allclose(values(page), expected(page, selection, hide_first=True), atol=1.6e-5)
    view = page.component("attention_view")
    assert view["panels"][0]["title"] == selection.title
    assert "First token hidden" in view["panels"][0]["note"] and "hidden here" in texts(page)


def test_another_head_or_layer_runs_no_model(open_page: Callable[..., Opened]) -> None:
    page = open_page(heads="0.0")
    calls = len(page.engine.calls)
    sizes = []
    for change in (
        lambda: page.at.slider(key="attention_head").set_value(1),
        lambda: page.at.select_slider(key="attention_layer").set_value(1),
        lambda: page.at.toggle(key="attention_hide").set_value(True),
        lambda: page.at.button_group(key="attention_kind").set_value("layer"),
    ):
        change()
        page.run()
        sizes.append(len(json.dumps(page.component("attention_view"))))
    assert len(page.engine.calls) == calls
    assert page.component("attention_view")["panels"][0]["title"] == "Layer 1, mean weight of all heads"
    np.testing.assert_allclose(values(page), expected(page, Selection(1, ()), hide_first=True), atol=1.6e-5)


def test_another_colour_scale_sends_no_weight_again(open_page: Callable[..., Opened]) -> None:
    page = open_page(heads="0.0", colours="stretched")
    keys = ("attention_overview", "attention_view")
    before = [page.component(key) for key in keys]
    assert page.component("attention_scale")["value"] == "stretched"
    page.put(AttentionState(heads="0.0", scale="log"))
    page.run()
    assert [page.component(key) for key in keys] == before
    assert page.component("attention_scale")["value"] == "log"
    assert "colours=log" in page.component("address")["query"]


def test_two_heads_stand_side_by_side(open_page: Callable[..., Opened]) -> None:
    page = open_page(heads="0.0")
    page.at.button(key="attention_keep").click()
    page.run()
    page.at.slider(key="attention_head").set_value(1)
    page.run()
    titles = [panel["title"] for panel in page.component("attention_view")["panels"]]
    assert titles == ["Layer 0, head 1", "Layer 0, head 0"]
    page.at.button(key="attention_drop").click()
    page.run()
    assert len(page.component("attention_view")["panels"]) == 1


def test_the_payload_of_128_tokens_is_small(open_page: Callable[..., Opened]) -> None:
    text = "".join(chr(97 + index % 26) for index in range(128))
    page = open_page(text, heads="0.0")
    assert len(page.component("attention_view")["tokens"]) == 128
    assert len(json.dumps(page.component("attention_view"))) < 30_000
    assert len(json.dumps(page.component("attention_overview"))) < 300_000


# -- the other sections ------------------------------------------------------------------------------------------------


def test_scores_are_measured_on_random_tokens_or_on_the_text(open_page: Callable[..., Opened]) -> None:
    page = open_page(view="doing")
    engine = page.engine
    random_ids = repeated_random_ids(engine.info, engine.codec)
    for on, ids in (("random", random_ids), ("text", ids_of(page))):
        page.at.button_group(key="AttentionState.measured_on").set_value(on)
        page.run()
        figures = head_figures(engine.attentions(ids))
        best = max(figures, key=lambda figure: figure.induction)
        frame = page.at.dataframe[0].value
        assert (frame["layer"][0], frame["head"][0]) == (best.layer, best.head)
        assert frame["induction"][0] == pytest.approx(100 * best.induction), "in percent"
        assert f"Highest: layer {best.layer}, head {best.head}" in texts(page)
        assert len(page.component("attention_score_map")["places"]) == 4


def test_scores_that_a_text_cannot_have_are_said_to_be_undefined(open_page: Callable[..., Opened]) -> None:
    page = open_page("abc", view="doing", on="text")
    assert "No token of this text stands in it twice" in texts(page)


def test_rollout_up_to_a_layer(open_page: Callable[..., Opened]) -> None:
    page = open_page(view="rollout", depth="0")
    steps = rollout(page.engine.attentions(ids_of(page)))
    lower = np.tril_indices(len(ids_of(page)))
    np.testing.assert_allclose(values(page, key="attention_rollout"), steps[0][lower], atol=1.6e-5)
    page.at.slider(key="attention_depth").set_value(1)
    page.run()
    np.testing.assert_allclose(values(page, key="attention_rollout"), steps[1][lower], atol=1.6e-5)


def test_one_weight_is_taken_apart_and_its_sharing_heads_are_a_click_away(open_page: Callable[..., Opened]) -> None:
    page = open_page(view="weight", heads="1.0", query="5")
    frame = page.at.dataframe[0].value
    attention = page.engine.attentions(ids_of(page))
    np.testing.assert_allclose(frame["weight"], attention.layers[1].weights[0, 5, :6], atol=1e-6)
    assert "2 query heads share 1 key-value heads" in texts(page) and "/ √16" in texts(page)
    page.at.button(key="attention_share_1").click()
    page.run()
    np.testing.assert_allclose(page.at.dataframe[0].value["weight"], attention.layers[1].weights[1, 5, :6], atol=1e-6)


def test_a_long_text_has_a_window_a_search_and_a_stated_cap(open_page: Callable[..., Opened]) -> None:
    text = "ab " * 200 + "xyz" + " cd" * 100
    page = open_page(text, heads="0.0")
    length = len(ids_of(page, text))
    assert len(page.component("attention_view")["tokens"]) == 512 < length
    assert "the cap is 1.07 GB" in texts(page) and f"of {length:,}" in texts(page)
    page.at.text_input(key="attention_find").set_value("XYZ")
    page.run()
    place = find_tokens(tuple(pieces(page.engine.codec, ids_of(page, text))), "xyz")[0]
    page.at.button(key=f"attention_found_{place}").click()
    page.run()
    view = page.component("attention_view")
    assert view["start"] == place - 8 and view["query"] == place
    assert "goes to tokens before the window" in view["panels"][0]["note"]
    page.at.number_input(key="attention_width").set_value(16)
    page.run()
    assert len(page.component("attention_view")["tokens"]) == 16


@pytest.mark.parametrize(
    ("wanted", "tokens"), [("cat", [1, 4]), ("CAT s", [1]), ("t", [1, 2, 4]), ("dog", []), ("the cat", [0])]
)
def test_finding_tokens_by_their_text(wanted: str, tokens: list[int]) -> None:
    assert find_tokens(("the ", "cat ", "sat", " a ", "cat"), wanted) == (tokens if wanted != "t" else [0, 1, 2, 4])


# -- links, experiments, files -----------------------------------------------------------------------------------------


def test_options_travel_in_a_link() -> None:
    options = AttentionState("3.0+2.max", "all.mean", "log", True, 40, 64, 50, "entropy", "text", 3)
    reading = read_link(AttentionState, link_of(options))
    assert reading.state == options and not reading.problems
    assert link_of(AttentionState()) == {}


def test_a_broken_link_says_what_it_left_out_and_shows_the_rest(open_page: Callable[..., Opened]) -> None:
    page = open_page(heads="9.9", colours="rainbow", query="x", hide_first="1")
    assert any("no attention in layer 9" in error for error in page.errors)
    assert any("rainbow" in error for error in page.errors) and any("whole number" in error for error in page.errors)
    assert page.component("attention_scale")["value"] == "linear" and "hidden here" in texts(page)


def test_every_experiment_opens(open_page: Callable[..., Opened]) -> None:
    page = open_page()
    opened = {"induction": "What heads do", "sink": "Heads", "it": "Heads", "shared": "One weight"}
    for name, section in opened.items():
        page.at.button(key=f"try_attention_{name}").click()
        page.run()
        assert page.at.session_state["attention_section"] == section
        assert any(":material/science:" in str(info.icon) for info in page.at.info)


def test_the_standalone_page_is_inert_and_holds_every_head() -> None:
    hostile = "</script><img src=x onerror=alert(1)>"
    attention = FakeEngine().attentions(tuple(range(1, len(hostile) + 1)))
    text = standalone_page(attention, tuple(hostile), fake_info(), query=3, lock=(0, 1))
    joined = standalone_page(attention, (hostile,) * len(hostile), fake_info())
    for page in (text, joined):
        assert "default-src 'none'" in page and page.count("</script>") == 2
        assert "<img" not in page and "<link" not in page and "https:" not in page
    island = json.loads(text.split("id=data>", 1)[1].split("</script>", 1)[0])
    raw = zlib.decompress(base64.b64decode(island["weights"]))
    assert "".join(island["view"]["tokens"]) == hostile
    cells = attention.width * (attention.width + 1) // 2
    assert len(raw) == island["tiles"] + 4 * cells
    place = island["panels"][3]["place"]
    weights = attention.layers[place[0]].weights[place[1]]
    got = (np.frombuffer(raw, np.uint8)[island["tiles"] + 3 * cells :] / 254) ** 2
    np.testing.assert_allclose(got, weights[np.tril_indices(attention.width)], atol=1 / 254)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # BertViz leaves its script's file open
def test_the_standalone_page_is_at_least_20_times_smaller_than_bertvizs() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    ids = tuple(range(2, 130))
    ours = standalone_page(engine.attentions(ids), tuple(map(str, ids)), engine.info)
    assert 20 * len(ours.encode()) < len(bertviz_html(engine, ids, list(map(str, ids))).encode())


# -- what a model lacks ------------------------------------------------------------------------------------------------


def test_a_model_without_attention_says_so_and_the_page_stands(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_app(
        {"prompt": PROMPT}, opener=lambda choice, progress: FakeEngine(lacks=frozenset({Attention})), run=False
    )
    page.at.switch_page("../../pages/attention.py")
    page.run()
    assert any("Attention weights come from models" in error for error in page.errors)


def test_a_model_that_shows_no_queries_and_keys_says_so_under_one_weight(open_app: OpenApp) -> None:
    blind = FakeEngine(shows_scores=False)
    page = open_app({"prompt": PROMPT, "view": "weight"}, opener=lambda choice, progress: blind, run=False)
    page.at.switch_page("../../pages/attention.py")
    page.run()
    assert any("does not show its queries and keys" in error for error in page.errors)


@pytest.mark.parametrize("prompt", ["a", "aaaaaaaa", "\u202e\x00<b>", ""])
def test_odd_texts_are_shown(open_page: Callable[..., Opened], prompt: str) -> None:
    page = open_page(prompt, heads="0.0")
    assert not page.errors
    count = len(page.component("attention_view")["tokens"])
    assert count == max(len(ids_of(page, prompt)), 1)
    page.at.toggle(key="attention_hide").set_value(True)
    page.run()
    blank = np.isnan(values(page)).reshape(-1)
    assert blank[0] and (blank.all() if count == 1 else not blank.all())
