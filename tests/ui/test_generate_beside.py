"""Models beside in Generate's Compare: the same prompt, settings and seeds, each by its own engine."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from playground.charts.run_html import run_html
from playground.engine.fake.codec import FakeCodec
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.serving.loading import ModelChoice
from playground.generation.document_reading import from_json
from playground.generation.document_writing import to_csv, to_json
from playground.models.naming import ComparedModel
from playground.sampling.settings import NEUTRAL
from playground.state.generate import GenerateState
from playground.state.sampling import Pins
from playground.state.setup import DEFAULT_PROMPT, Setup
from playground.ui.generate_page.session import GenerateSession, PendingAction, _Sessions
from tests.engine.other_vocabulary import ReversedEngine, reversed_ids
from tests.ui.conftest import Opened
from tests.ui.openings import Openings
from tests.ui.test_generate_page import finished, open_page, reference, strip, until

Open = Callable[..., Opened]
HOT = NEUTRAL.replace(temperature=1.3)


@pytest.fixture
def openings() -> Iterator[Openings]:
    opener = Openings()
    yield opener
    opener.gate.set()


def compare(open_app: Open, openings: Openings, *beside: ComparedModel, **options: Any) -> Opened:
    """Everything has been loaded and written."""
    app = finished(open_page(open_app, opener=openings))
    app.put(Setup(prompt=DEFAULT_PROMPT, beside=beside, settings=HOT))
    app.put(GenerateState(**{"max_new_tokens": 6, "ignore_eos": True, **options}))
    app.hold(generate_section="Compare")
    for letter in "XYZ"[: len(beside)]:
        if any(button.key == f"load_{letter}" for button in app.at.button):
            app.at.button(key=f"load_{letter}").click()
            app.run()
    app.put(PendingAction("compare"))
    app.run()
    return until(
        finished(app, "compare"), lambda: not any(one.busy for one in works(app).values()), "not written"
    ).run()


def works(app: Opened) -> dict[str, GenerateSession]:
    return {section: one for (section, _), one in app.state(_Sessions).items()}


def test_a_model_beside_writes_what_it_writes_alone_on_the_same_seed(open_app: Open, openings: Openings) -> None:
    app = compare(open_app, openings, ComparedModel(dtype="bfloat16"))
    rounded = FakeEngine(lambda ids: np.round(default_logits(ids), 1).astype(np.float32))
    own, other = (works(app)[section].tree.path_ids(0) for section in ("compare", "beside X"))
    assert own == reference(FakeEngine(), settings=HOT) and other == reference(rounded, settings=HOT)
    if own != other:
        place = next(i for i in range(6) if own[i] != other[i])
        assert f"**A and X** part at token {place + 1}" in app.texts()
        assert [i for i, token in enumerate(strip(app, "beside_strip_X")) if "parted" in token["kind"]] == [place]
    else:
        assert "**A and X** are the same text" in app.texts()
    assert "tokens/s" in app.texts() and "weights 0" in app.texts()


def test_files_hold_the_texts_of_all_models(open_app: Open, openings: Openings) -> None:
    """The first model's file comes back as its own; another model's part of it as that one's."""
    app = compare(open_app, openings, ComparedModel(dtype="bfloat16"), ComparedModel("other/vocabulary"), seeds=2)
    runs = [works(app)[section].whole_run() for section in ("compare", "beside X", "beside Y")]
    base, *others = [run for run in runs if run is not None]
    others[1] = replace(others[1], origin=replace(others[1].origin, id="other", name="Other"))
    codecs = [FakeCodec(), ReversedEngine().codec]
    beside = list(zip(others, codecs, strict=True))
    text = to_json(base, FakeCodec(), beside)
    assert from_json(text.encode(), FakeEngine().info)[0].tree == base.tree
    assert from_json(text.encode(), replace(ReversedEngine().info, id="other"))[0].tree == others[1].tree
    rows = list(csv.DictReader(io.StringIO(to_csv(base, FakeCodec(), beside))))
    named_texts = [(run.origin.name, branch.name) for run in (base, *others) for branch in run.tree.branches]
    assert list(dict.fromkeys((row["model"], row["name"]) for row in rows)) == named_texts
    assert {name for _model, name in named_texts} >= {"A, seed 0", "X, seed 1", "Y, seed 0"}
    page = run_html(base, FakeCodec(), "probability", beside)
    assert all(f"<h2>{name}</h2>" in page for _model, name in named_texts) and page.count("<h1>") == 3


def test_another_vocabulary_writes_the_same_text_under_other_ids(open_app: Open, openings: Openings) -> None:
    app = compare(open_app, openings, ComparedModel("other/vocabulary"))
    other = works(app)["beside X"]
    assert other.run is not None and other.run.prompt.ids == reversed_ids(FakeCodec().encode(DEFAULT_PROMPT))
    assert "**A and X**" in app.texts()


def test_every_seed_of_the_first_setting_is_written(open_app: Open, openings: Openings) -> None:
    app = compare(open_app, openings, ComparedModel(dtype="bfloat16"), seeds=3)
    assert [branch.seed for branch in works(app)["beside X"].tree.branches] == [0, 1, 2]


def test_a_served_model_writes_by_its_own_samplers_and_is_compared_by_what_it_tells(
    open_app: Open, openings: Openings
) -> None:
    app = compare(open_app, openings, ComparedModel("served/top"))
    assert works(app)["beside X"].problem is None and len(strip(app, "beside_strip_X")) == 6
    assert "**A and X**" in app.texts()


def test_the_chat_template_on_the_same_model_leaves_the_first_text_alone(open_app: Open, openings: Openings) -> None:
    app = compare(open_app, openings, ComparedModel(chat=True))
    assert list(openings.engines) == [ModelChoice()]
    own, other = works(app)["compare"], works(app)["beside X"]
    assert len(own.tree.path(0)) == len(other.tree.path(0)) == 6
    assert other.run is not None and other.run.prompt.ids == FakeCodec().encode_chat(DEFAULT_PROMPT)


def test_biases_by_id_are_refused_for_another_vocabulary(open_app: Open, openings: Openings) -> None:
    app = compare(open_app, openings, ComparedModel("other/vocabulary"))
    app.put(Pins(A=NEUTRAL.replace(logit_bias={7: 2.0})))
    app.put(PendingAction("compare"))
    app.run()
    finished(app, "compare").run()
    assert any("has another vocabulary" in error for error in app.errors)
    assert len(works(app)["compare"].tree.path(0)) == 6


def test_what_was_not_there_when_the_button_was_pressed_is_said(open_app: Open, openings: Openings) -> None:
    app = compare(open_app, openings)
    app.put(Setup(prompt=DEFAULT_PROMPT, beside=(ComparedModel(chat=True),), settings=HOT))
    app.run()
    assert "writes with the next **Generate together**" in app.texts()
