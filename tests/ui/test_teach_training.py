"""Train and What moved through Streamlit's own test double: a training of known steps, an adapter of known logits."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pages import PAGES
from playground.engine.api import CancelToken, Engine
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.serving.loading import ModelChoice
from playground.engine.types import FloatArray, TokenIds
from playground.errors import ModelTooLarge
from playground.models.adapter_names import split_adapter
from playground.state.examples import ExamplesState
from playground.state.setup import Setup
from playground.store.adapters import CONFIG, WEIGHTS, new_adapter
from playground.store.place import DATA_VARIABLE
from playground.store.records import LOCAL
from playground.training import running
from playground.training.demonstrations import shipped
from playground.training.estimate import Pace
from playground.training.export import DATA_FILE
from playground.training.masks import Row
from playground.training.runs import KeptTraining, TrainingStore, TrainingWriter
from playground.training.settings import TrainSettings
from playground.training.split import split
from playground.training.steps import TrainStep
from playground.ui import runtime
from playground.ui.examples_page import moved_section
from playground.ui.examples_page.forecast import Measured
from playground.ui.examples_page.moved import MovedLook
from playground.ui.examples_page.session import TeachDraft
from playground.ui.examples_page.steps import MOVED, TRAIN
from playground.ui.examples_page.training_view import TrainingView
from tests.ui.conftest import Opened
from tests.ui.test_teach_examples import Open, open_examples, pressed

STEPS = 4
Job = Callable[[Engine, CancelToken], Generator[TrainStep | None, None, None]]


class Adapted(FakeEngine):
    """The base's logits with a bonus on token 42, as much as the adapter's strength says."""

    def __init__(self, strength: float) -> None:
        super().__init__(lambda ids: self._logits(ids, strength))
        self._info = self._info if not strength else _renamed(self._info, strength)

    @staticmethod
    def _logits(ids: TokenIds, strength: float) -> FloatArray:
        row = default_logits(ids)
        row[42] += np.float32(3 * strength)
        return row


def _renamed(info: Any, strength: float) -> Any:  # noqa: ANN401 - the fake's own facts
    from dataclasses import replace

    return replace(info, revision=f"fake-1+{strength:g}")


def opened(choice: ModelChoice, progress: object) -> FakeEngine:
    adapter = split_adapter(choice.spec)
    return Adapted(adapter.strength if adapter else 0.0)


@pytest.fixture(autouse=True)
def _own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    monkeypatch.setattr(runtime, "_base_of", lambda choice: None)
    monkeypatch.setattr(running, "kept_training", known_training)


def known_training(writer: TrainingWriter, kept: KeptTraining) -> Job:
    """Steps without a model; what is learnt is an empty adapter."""

    def job(engine: Engine, cancel: CancelToken) -> Generator[TrainStep | None, None, None]:
        for number in range(STEPS + 1):
            cancel.check()
            heldout = 3.0 - number / 2 if number != STEPS else 2.9
            loss = None if number == 0 else 3.0 - number / 2
            yield TrainStep(number, STEPS, number / 2, loss, heldout, 1e-3, 1.0, 100, 0.1, 0 < number < STEPS)
        folder = new_adapter(LOCAL, kept.summary.name)
        (folder / CONFIG).write_text(json.dumps({"peft_type": "LORA"}))
        (folder / WEIGHTS).touch()
        writer.note_result(folder.name)
        writer.end("finished", "", STEPS, STEPS)

    return job


def trained(open_app: Open, opener: Callable[..., FakeEngine] = opened) -> Opened:
    app = open_app(run=False, opener=opener)
    app.at.switch_page("../../pages/teach_examples.py")
    app.put(TeachDraft(rows=shipped("tone")[:8]))
    app.hold(teach_examples_section=TRAIN)
    assert "8 demonstrations**: 6 steps" in said(app) and "beside what is loaded" in said(app)
    app = pressed(app, "teach_start")
    while app.state(TrainingView).busy:
        app.run()
    return app.run()


def probs(ids: TokenIds, strength: float) -> npt.NDArray[np.float64]:
    weights = np.exp(Adapted(strength)._logits(ids, strength).astype(np.float64))
    return np.asarray(weights / weights.sum())


def said(app: Opened) -> str:
    return app.texts().replace("\\", "")


def test_a_training_is_shown_as_it_goes_and_stays_in_the_link(open_app: Open) -> None:
    app = trained(open_app)
    assert not app.errors and "· whole" in said(app)
    assert "Kept is the adapter of step 3" in said(app) and "1.500 nats" in said(app)
    chart = app.component("teach_loss")
    assert [line["name"] for line in chart["lines"]] == ["taught", "held out"] and "Best: 1.500 at step 3" in chart[
        "label"
    ]
    (kept,) = TrainingStore().trainings()
    assert app.state(ExamplesState).training == kept.id and kept.has_adapter


def test_a_quantised_model_is_refused_before_the_button_is_pressed(open_app: Open, engine: FakeEngine) -> None:
    app = open_examples(open_app, TRAIN)
    why = "Fake model has quantised weights, through which no gradient flows: choose its unquantised form."
    assert not app.at.button(key="teach_start").disabled
    engine._info = replace(engine.info, quantised=True)
    app = pressed(app, "teach_start")  # as a page that was drawn before would send it
    assert why in "".join(app.errors).replace("\\", "") and not TrainingStore().trainings()
    app = app.run()
    button = app.at.button(key="teach_start")
    assert button.disabled and button.help.replace("\\", "") == why
    assert why in said(app), "a phone shows no tooltip"
    assert not [one for one in app.at.button if one.key == "teach_measure"], "measuring would be refused as well"


def test_a_refused_start_leaves_nothing_in_the_list(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "kept_training", refused_training)
    app = open_examples(open_app, TRAIN)
    app = pressed(app, "teach_start")
    while app.state(TrainingView).busy:
        app.run()
    assert app.run().errors == ["It needs 9 GB and 1 GB is free\\."] and not TrainingStore().trainings()
    assert app.state(ExamplesState).training == "" and not app.at.button(key="teach_start").disabled


def refused_training(writer: TrainingWriter, kept: KeptTraining) -> Job:
    """As where the memory does not suffice: ``running.kept_training`` up to its refusal."""

    def job(engine: Engine, cancel: CancelToken) -> Generator[TrainStep | None, None, None]:
        yield None
        writer.withdraw()
        raise ModelTooLarge("It needs 9 GB and 1 GB is free.", 9, 1)

    return job


def test_what_is_refused_is_said_and_the_last_value_stays(open_app: Open) -> None:
    app = open_examples(open_app, TRAIN).hold(teach_advanced=True)
    app.at.number_input(key="teach_of_rank").set_value(0)
    assert app.run().errors == [r"rank must be a whole number from 1 to 256, not 0\."]
    assert app.state(TeachDraft).settings.rank == 8
    app.at.number_input(key="teach_of_epochs").set_value(5)
    app.run()
    assert not app.errors and app.state(TeachDraft).settings.epochs == 5


def test_before_and_after_are_what_the_two_models_say(open_app: Open) -> None:
    app = trained(open_app)
    app.held["teach_examples_section"] = MOVED
    app.at.session_state["teach_examples_section"] = MOVED
    app = app.run()
    assert not app.errors
    ids = app.engine.codec.encode_chat(app.state(Setup).prompt)

    def kl(strength: float) -> str:
        p, q = probs(ids, 0.0), probs(ids, strength)
        return f"= {float((p * np.log(p / q)).sum()):.4f} nats"

    assert kl(1.0) in said(app)
    app.at.slider(key="ExamplesState.strength").set_value(0.0)
    assert "before and after give the same first token" in said(app.run())
    app.at.slider(key="ExamplesState.strength").set_value(1.5)
    assert kl(1.5) in said(app.run())
    draft = app.state(TeachDraft)
    heldout = split(draft.rows, draft.settings.heldout_share, draft.settings.seed).heldout
    assert heldout[0].prompt in said(app) and "perplexity" in said(app)
    strip = app.component("teach_along_strip")["tokens"]
    assert len({token["background"] for token in strip}) > 1
    app = pressed(app, "teach_pin")
    assert [one.text for one in app.state(Setup).beside] == [f"+{_adapter()}*1.5"]


def moved(app: Opened) -> Opened:
    """The training in view, under What moved."""
    app.held["teach_examples_section"] = MOVED
    app.at.session_state["teach_examples_section"] = MOVED
    return app.run()


def test_merged_is_another_model_and_off_again_the_one_before(open_app: Open) -> None:
    asked: list[str] = []

    def noted(choice: ModelChoice, progress: object) -> FakeEngine:
        asked.append(str(choice.spec))
        return opened(choice, progress)

    app = moved(trained(open_app, noted))
    app.at.toggle(key="teach_merged").set_value(True)
    app = app.run()
    assert not app.errors and [name for name in asked if "+" in name][-1].endswith(f"{_adapter()}*1*merged")
    assert app.state(MovedLook).merged
    app.at.toggle(key="teach_merged").set_value(False)
    assert not app.run().errors and not app.state(MovedLook).merged


@pytest.mark.parametrize("page", ["attention", "inside"])
@pytest.mark.parametrize("taught", ["on", "off"])
def test_one_press_looks_into_the_model_with_the_adapter_on_or_off(open_app: Open, page: str, taught: str) -> None:
    app = moved(trained(open_app))
    app.at.slider(key="ExamplesState.strength").set_value(0.5)
    app = pressed(app.run(), f"teach_go_{page}_{taught}")
    assert app.at.title[0].value == PAGES[page].title
    name = split_adapter(app.state(Setup).model)
    assert (name is not None) == (taught == "on") and (
        name is None or (name.adapter, name.strength) == (_adapter(), 0.5)
    )


def test_what_is_taken_away_is_the_adapter_the_program_and_its_rows(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = trained(open_app)
    given: dict[str, Callable[[], str | bytes]] = {}
    monkeypatch.setattr(moved_section, "file_button", lambda label, name, data, about: given.setdefault(name, data))
    moved(app.hold(take_away=True))
    (kept,) = TrainingStore().trainings()
    adapter, program, rows = (
        given[name] for name in (f"adapter-{kept.id[:8]}.zip", f"train-{kept.id[:8]}.py", DATA_FILE)
    )
    content = adapter()
    assert isinstance(content, bytes) and zipfile.ZipFile(io.BytesIO(content)).namelist() == [
        f"adapter/{name}" for name in (CONFIG, WEIGHTS)
    ]
    compile(program(), "train.py", "exec")
    lines = str(rows()).splitlines()
    assert len(lines) == 8 and json.loads(lines[0])["prompt"][-1]["content"] == shipped("tone")[0].prompt


def test_the_time_is_measured_on_these_rows_and_said(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def measured(settings: TrainSettings, rows: tuple[Row, ...]) -> Callable[[Engine, CancelToken], Iterator[None]]:
        asked.append(len(rows))

        def job(engine: Engine, cancel: CancelToken) -> Generator[None, None, Pace]:
            yield
            return Pace(1.0, 0.5, 3.0)

        return job

    monkeypatch.setattr(running, "calibration", measured)
    app = open_examples(open_app, TRAIN)
    assert "on this machine" not in said(app)
    app = pressed(app, "teach_measure")
    while app.state(Measured).busy:
        app.run()
    app = app.run()
    assert not app.errors and "on this machine" in said(app) and asked == [len(shipped("tone"))]
    assert not [button for button in app.at.button if button.key == "teach_measure"]
    app.put(replace(app.state(TeachDraft), settings=replace(app.state(TeachDraft).settings, rank=16)))
    assert "on this machine" not in said(app.run()), "another rank has another pace"


def _adapter() -> str:
    store = TrainingStore()
    (summary,) = store.trainings()
    folder = store.load(summary.id).folder
    assert folder is not None
    return folder.name


def test_without_a_training_what_moved_leads_to_it(open_app: Open) -> None:
    app = open_examples(open_app, MOVED)
    assert [button.label for button in app.at.button if button.key == "teach_to_Train"]
    app = open_examples(open_app, TRAIN, training="nowhere")
    assert any("no such training of yours" in error for error in app.errors)


def test_kept_trainings_are_opened_and_deleted(open_app: Open) -> None:
    app = trained(open_app)
    (kept,) = TrainingStore().trainings()
    app.put(ExamplesState())
    app = pressed(app.hold(teach_kept=True), f"teach_open_{kept.id}")
    assert app.state(ExamplesState).training == kept.id
    app = pressed(app, f"teach_delete_{kept.id}")
    assert not TrainingStore().trainings() and app.state(ExamplesState).training == ""
