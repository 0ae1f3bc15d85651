"""The page Examples through Streamlit's own test double, on an engine with known numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pages import PAGES
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.serving.loading import ModelChoice
from playground.engine.text.display import glyphs
from playground.models.naming import ComparedModel
from playground.state.setup import Setup
from playground.store.place import DATA_VARIABLE
from playground.training.demonstrations import Demonstration, shipped
from playground.training.masks import masked_text
from playground.ui.examples_page.bring_in import PASTE
from playground.ui.examples_page.experiments import EXPERIMENTS
from playground.ui.examples_page.session import TeachDraft
from playground.ui.examples_page.steps import CONVERSATION, DEMONSTRATIONS
from tests.ui.conftest import Opened

Open = Callable[..., Opened]


@pytest.fixture(autouse=True)
def _own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def open_examples(open_app: Open, tab: str = CONVERSATION, **query: str) -> Opened:
    app = open_app(query, run=False)
    app.at.switch_page("../../pages/teach_examples.py")
    return app.hold(teach_examples_section=tab)


def probs(ids: tuple[int, ...]) -> npt.NDArray[np.float64]:
    weights = np.exp(default_logits(ids).astype(np.float64))
    return np.asarray(weights / weights.sum())


def test_one_prompt_twice_with_the_distance_between_both_readings(open_app: Open, engine: FakeEngine) -> None:
    app = open_examples(open_app, prompt="hello")
    assert not app.errors
    p, q = probs(engine.codec.encode("hello")), probs(engine.codec.encode_chat("hello"))
    assert f" {float((p * np.log(p / q)).sum()):.4f} nats" in app.texts().replace("\\", "")
    strip = app.component("teach_template")["tokens"]
    assert [token["text"] for token in strip if token["kind"] == "step"] == ["hello"]
    likeliest = glyphs(engine.codec.piece(int(p.argmax())))
    assert app.component("teach_text_own_text")["tokens"][0]["lines"][0].startswith(likeliest)


def test_ready_prompts_and_a_refusal_that_leaves_the_field(open_app: Open) -> None:
    app = open_examples(open_app)
    app.at.button(key="teach_ready_Pizza").click()
    app.run()
    assert app.at.text_input(key="teach_ask").value == "How to make pizza"
    app.at.text_input(key="teach_ask").set_value("")
    app.run()
    assert len(app.errors) == 1 and "empty" in app.errors[0]
    app.at.text_input(key="teach_ask").set_value("hello")
    assert not app.run().errors


def test_a_base_model_has_no_conversation_and_says_so(open_app: Open) -> None:
    app = open_app(run=False, opener=lambda choice, progress: FakeEngine(has_chat_template=False))
    app.at.switch_page("../../pages/teach_examples.py")
    app.run()
    assert not app.errors and "has no chat template" in app.texts()
    assert app.component("teach_text_own_text")["tokens"]


def test_a_base_model_stands_beside_the_chat_model(open_app: Open) -> None:
    """The base reads the text alone, and has no template to read the message in."""

    def opener(choice: ModelChoice, progress: object) -> FakeEngine:
        return FakeEngine(has_chat_template=choice.spec != "base/model")

    app = open_app({"prompt": "hello"}, run=False, opener=opener)
    app.at.switch_page("../../pages/teach_examples.py")
    app.run()
    app.put(Setup(prompt="hello", beside=(ComparedModel("base/model"),)))
    app = pressed(app.run(), "load_X").run()
    assert not app.errors and "has no chat template" in app.texts()
    assert app.component("teach_text_own_chat")["tokens"] and app.component("teach_text_X_text")["tokens"]
    (table,) = [frame.value for frame in app.at.dataframe if "reading" in frame.value.columns]
    assert [*table["reading"]] == ["text", "chat", "X text"]


# -- demonstrations ----------------------------------------------------------------------------------------------------


def rows(app: Opened) -> tuple[Demonstration, ...]:
    return app.state(TeachDraft).rows


def pressed(app: Opened, key: str) -> Opened:
    app.at.button(key=key).click()
    return app.run()


def test_the_page_opens_with_a_shipped_set_and_takes_another(open_app: Open) -> None:
    app = open_examples(open_app, DEMONSTRATIONS)
    assert not app.errors and rows(app) == shipped("tone")
    app = pressed(app.hold(teach_sets=True), "teach_set_refusals")
    assert rows(app) == shipped("refusals")
    assert rows(pressed(app, "teach_back")) == shipped("tone")


def test_the_mask_underlines_the_response_and_no_more(open_app: Open, engine: FakeEngine) -> None:
    app = open_examples(open_app, DEMONSTRATIONS)
    first = rows(app)[0]

    def counted() -> str:
        text = masked_text(engine.codec, first, mask_prompt=app.state(TeachDraft).settings.mask_prompt)
        strip = app.component("teach_mask")["tokens"]
        assert ["step" in token["kind"] for token in strip] == list(text.counted)
        return engine.codec.decode([id for id, on in zip(text.ids, text.counted, strict=True) if on])

    assert counted().startswith(first.response) and first.prompt not in counted()
    app.at.toggle(key="teach_set_of_mask_prompt").set_value(False)
    app.run()
    assert first.prompt in counted()


def test_pasted_rows_are_read_before_they_are_taken_and_refused_in_a_sentence(open_app: Open) -> None:
    app = open_examples(open_app, DEMONSTRATIONS).hold(teach_pasting=True)
    app.at.text_area(key=PASTE).set_value('{"instruction": "Say <b>hi</b>", "input": "", "output": "hi"}')
    app = pressed(app.run(), "teach_take_paste")
    assert rows(app) == (Demonstration("Say <b>hi</b>", "hi"),)
    app.at.text_area(key=PASTE).set_value("prompt,response\nwhy,\n")
    app.run()
    assert len(app.errors) == 1 and "line 2 has an empty response" in app.errors[0]


def test_a_draft_survives_other_pages_and_an_empty_one_teaches(open_app: Open) -> None:
    app = open_examples(open_app, DEMONSTRATIONS)
    app = pressed(app.hold(teach_sets=True), "teach_set_format")
    app.held.clear()
    app.at.switch_page("../../pages/sampling.py")
    app.run()
    app.at.switch_page("../../pages/teach_examples.py")
    app.hold(teach_examples_section=DEMONSTRATIONS)
    assert rows(app) == shipped("format")
    app.put(TeachDraft(rows=()))
    assert "ten that agree in style" in app.run().texts()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("rows.jsonl", '{"messages": [{"role": "user", "content": "why?"}, {"role": "assistant", "content": "so."}]}'),
        ("alpaca.json", '[{"instruction": "why?", "input": "", "output": "so."}]'),
        ("rows.csv", "prompt,response\nwhy?,so.\n"),
    ],
)
def test_a_file_is_read_before_it_is_taken(open_app: Open, name: str, data: str) -> None:
    app = open_examples(open_app, DEMONSTRATIONS).hold(teach_file=True)
    app.at.file_uploader(key="teach_upload").upload(name, data.encode(), "text/plain")
    app = pressed(app.run(), "teach_add_upload")
    assert not app.errors and rows(app) == (*shipped("tone"), Demonstration("why?", "so."))
    app.at.file_uploader(key="teach_upload").upload("bad.jsonl", b'{"prompt": "why?"', "text/plain")
    assert len(app.run().errors) == 1 and len(rows(app)) == len(shipped("tone")) + 1


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_sets_its_scene(open_app: Open, name: str) -> None:
    app = open_examples(open_app)
    app = pressed(app, f"try_teach_examples_{name}")
    each = EXPERIMENTS[name]
    app.hold(teach_examples_section=PAGES["teach_examples"].sections[each.section].title)
    assert not app.errors and each.label in app.texts()
    for draft in each.puts:
        assert app.state(TeachDraft) == draft
    if each.setup:
        assert app.at.text_input(key="teach_ask").value == each.setup["prompt"]
