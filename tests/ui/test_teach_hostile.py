"""What cannot be taught, or ends badly, on the page Examples: strangers' files, and a tiny model with nothing of it replaced."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from playground.engine.api import Weights
from playground.engine.fake.engine import FakeEngine
from playground.engine.serving.step_worker import StepWorker
from playground.store.place import DATA_VARIABLE
from playground.training.demonstrations import Demonstration, shipped
from playground.training.line import training_line
from playground.training.runs import TrainingStore
from playground.training.settings import TrainSettings
from playground.ui import runtime
from playground.ui.examples_page.session import TeachDraft
from playground.ui.examples_page.steps import DEMONSTRATIONS, TRAIN
from playground.ui.examples_page.training_view import TrainingView
from tests.models.tiny import save_gpt2
from tests.training.tiny_student import DEMONSTRATIONS as ROWS
from tests.training.tiny_student import save_tiny, settings_of
from tests.ui.conftest import Opened
from tests.ui.test_teach_examples import Open, open_examples, pressed

WAITS_S = 120
real_opener = runtime._open_engine


@pytest.fixture(autouse=True)
def _own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))


# -- files -------------------------------------------------------------------------------------------------------------


def line(*messages: tuple[str, str]) -> bytes:
    return json.dumps({"messages": [{"role": role, "content": text} for role, text in messages]}).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"prompt,response\nwhy?,\n", "line 2 has an empty response; write how the model should answer"),
        (b"".join(b'{"prompt": "%d", "completion": "x"}\n' % n for n in range(10_000)), "more than 2,000 rows"),
        (line(("assistant", "so."), ("user", "why?"), ("assistant", "so.")), "roles out of order"),
        (line(("user", "why?"), ("user", "why?"), ("assistant", "so.")), "roles out of order"),
        (line(("user", "why?")), "does not end with the assistant's message"),
        (b"\x80\x04\x95\x00\x00\x00\x00", "no text"),
        (b"<table><tr><td>why?</td></tr></table>", "XML or HTML"),
    ],
)
def test_a_file_that_cannot_be_taught_is_refused_in_a_sentence(open_app: Open, data: bytes, said: str) -> None:
    app = open_examples(open_app, DEMONSTRATIONS).hold(teach_file=True)
    name = "rows.csv" if data.startswith(b"prompt") else "rows.jsonl"
    app.at.file_uploader(key="teach_upload").upload(name, data, "text/plain")
    app.run()
    assert len(app.errors) == 1 and said in app.errors[0].replace("\\", "") and "\n" not in app.errors[0]
    assert app.state(TeachDraft).rows == shipped("tone"), "the table stays as it was"


@pytest.mark.parametrize(
    "marks", ["[INST] why? [/INST]", "<|im_start|>user", "### Instruction:\nwhy?", "<start_of_turn>user"]
)
def test_marks_of_other_templates_and_repeated_rows_are_said(open_app: Open, marks: str) -> None:
    app = open_examples(open_app, DEMONSTRATIONS).hold(teach_file=True)
    data = json.dumps({"prompt": marks, "completion": "so."}) + "\n"
    app.at.file_uploader(key="teach_upload").upload("rows.jsonl", (data * 2).encode(), "text/plain")
    app = pressed(app.run(), "teach_take_upload")
    shown_text = app.texts().replace("\\", "")
    assert not app.errors and "2 rows spell marks of a chat template" in shown_text
    assert "1 of 2 rows are there more than once" in shown_text and len(app.state(TeachDraft).rows) == 2


def test_a_table_with_other_headings_has_its_columns_chosen(open_app: Open) -> None:
    app = open_examples(open_app, DEMONSTRATIONS).hold(teach_file=True)
    table = "nummer;antwort;frage\n1;so.;why?\n2;then.;when?\n"
    app.at.file_uploader(key="teach_upload").upload("rows.csv", table.encode(), "text/plain")
    app.run()
    boxes = {box.label: box for box in app.at.selectbox if str(box.key).startswith("teach_column_")}
    assert not app.errors and list(boxes) == ["Prompt", "Response", "System prompt"]
    boxes["Prompt"].set_value("frage")
    boxes["Response"].set_value("antwort")
    app = pressed(app.run(), "teach_take_upload")
    assert app.state(TeachDraft).rows == (Demonstration("why?", "so."), Demonstration("when?", "then."))


def test_rows_on_both_sides_of_the_split_are_found_and_said(open_app: Open) -> None:
    app = open_examples(open_app, DEMONSTRATIONS)
    rows = shipped("tone")[:8]
    app.put(TeachDraft(rows=(*rows, *(replace(row, response=f" {row.response.upper()} ") for row in rows))))
    shown_text = app.run().texts()
    assert "8 rows repeat others; equal rows stay together on one side" in shown_text
    app.put(TeachDraft(rows=rows[:4]))
    assert "4 different rows are too few to hold some out" in app.run().texts()


def test_rows_longer_than_what_is_read_are_said_to_be_cut(open_app: Open) -> None:
    app = open_examples(open_app, DEMONSTRATIONS)
    app.put(TeachDraft(rows=(Demonstration("why?", "so " * 400), *shipped("tone")[:6])))
    shown_text = app.run().texts()
    assert (
        not app.errors
        and "It is cut at 512 tokens" in shown_text
        and "1 have more than 512 tokens and are cut" in shown_text
    )


# -- trainings ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny") / "model")


def open_train(open_app: Open, model: Path, monkeypatch: pytest.MonkeyPatch, draft: TeachDraft) -> Opened:
    """The tab Train with a model of files."""
    monkeypatch.setenv("PLAYGROUND_MODEL", str(model))
    app = open_app({"prompt": "the 1?"}, opener=real_opener, run=False)
    app.at.switch_page("../../pages/teach_examples.py")
    app.put(draft)
    return app.hold(teach_examples_section=TRAIN)


def ended(app: Opened) -> Opened:
    """Wait for the training in view, and run until the page has taken its end over."""
    ticket = app.state(TrainingView).ticket
    assert ticket is not None and ticket.wait(WAITS_S)
    while app.state(TrainingView).busy:
        app.run()
    return app.run()


def said(app: Opened) -> str:
    return app.texts().replace("\\", "")


def test_prompts_longer_than_the_context_are_left_out_and_said_also_after_a_reload(
    open_app: Open, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, longer = Demonstration("a b " * 180, "sat"), Demonstration("the cat " * 300, "sat")
    rows = (*ROWS, long, long, longer)
    app = open_train(open_app, tiny, monkeypatch, TeachDraft(rows, settings_of(epochs=1, heldout_share=0.0)))
    app = ended(pressed(app, "teach_start"))
    message = "2 of 15 rows have a prompt of more than 256 tokens and were left out."
    assert not app.errors and message in said(app)
    assert "1 of 15 rows are far longer than the 256 tokens that the model reads and were left out." in said(app)
    (kept,) = TrainingStore().trainings()
    assert kept.status == "finished" and TrainingStore().load(kept.id).notes
    again = open_app({"training": kept.id}, opener=real_opener, run=False)
    again.at.switch_page("../../pages/teach_examples.py")
    assert message in said(again.hold(teach_examples_section=TRAIN))


def test_rows_that_are_all_too_long_are_refused(open_app: Open, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tuple(Demonstration(f"{n} " + "a b " * 180, "sat") for n in range(8))
    app = open_train(open_app, tiny, monkeypatch, TeachDraft(rows, settings_of(epochs=1)))
    app = ended(pressed(app, "teach_start"))
    assert any("rows are longer than 256 tokens: shorten them" in error.replace("\\", "") for error in app.errors)
    assert not TrainingStore().trainings()  # refused before its first step


def test_a_model_of_another_family_is_taught_on_layers_of_its_own(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_gpt2(tmp_path / "gpt2")
    settings = settings_of(epochs=1, chat=False, dtype="float32")
    app = open_train(open_app, tmp_path / "gpt2", monkeypatch, TeachDraft(ROWS[:6], settings))
    app = ended(pressed(app, "teach_start"))
    assert not app.errors, app.errors
    assert "no layers called q_proj and v_proj: the adapter is on c_attn" in said(app)
    (kept,) = TrainingStore().trainings()
    assert kept.status == "finished" and kept.has_adapter
    assert "From before to after the largest differences are" in said(pressed(app, "teach_see"))


def test_layers_that_are_not_there_are_named_with_those_that_are(
    open_app: Open, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_train(open_app, tiny, monkeypatch, TeachDraft(ROWS, settings_of(targets=("c_attn",))))
    app = ended(pressed(app, "teach_start"))
    (error,) = app.errors
    assert "No layer of this model is called c_attn" in error.replace("\\", "") and "q_proj" in error.replace("\\", "")


def test_a_model_without_gradients_says_who_has_them(open_app: Open) -> None:
    app = open_app(opener=lambda choice, progress: FakeEngine(lacks=frozenset({Weights})), run=False)
    app.at.switch_page("../../pages/teach_examples.py")
    app.hold(teach_examples_section=TRAIN)
    (error,) = app.errors
    assert "Weights of the model come from models that transformers runs in this process" in error
    assert "choose another model" in error and not [one for one in app.at.button if one.key == "teach_start"]


def test_a_full_disk_pauses_it_and_once_there_is_room_it_goes_on(
    open_app: Open, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_train(open_app, tiny, monkeypatch, TeachDraft(ROWS, settings_of()))

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("playground.training.checkpoint.os.replace", full)
        app = ended(pressed(app, "teach_start"))
    assert app.errors and all("The disk is full" in error and "then go on" in error for error in app.errors)
    app = ended(pressed(app, "teach_resume"))
    (kept,) = TrainingStore().trainings()
    assert kept.status == "finished" and kept.has_adapter and not app.errors


def test_a_second_reader_waits_in_the_line_and_is_told(
    open_app: Open, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def long(engine: object, cancel: object) -> Generator[None, None, None]:
        while not go.wait(0.01):
            yield

    other = StepWorker(FakeEngine())
    first = training_line().submit(other, "another reader", "train", long, 100.0)
    try:
        app = open_train(open_app, tiny, monkeypatch, TeachDraft(ROWS, settings_of(epochs=1)))
        app = pressed(app, "teach_start")
        bars = [str(bar.proto.text) for bar in app.at.get("progress")]
        assert any(", 1 ahead, about" in bar for bar in bars), bars
        go.set()
        first.wait(WAITS_S)
        app = ended(app)
    finally:
        go.set()
        other.close()
    (kept,) = TrainingStore().trainings()
    assert kept.status == "finished" and not app.errors


def test_a_rate_that_is_far_too_high_is_stopped_with_a_sentence(
    open_app: Open, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tiny model's loss cannot grow as a real one's does (``tests/e2e/test_teach.py`` has that): it is made no number."""
    from playground.training.objectives import Sft

    whole = Sft.loss
    monkeypatch.setattr(Sft, "loss", lambda own, places, sums: whole(own, places, sums) * float("nan"))
    app = open_train(open_app, tiny, monkeypatch, TeachDraft(ROWS, settings_of(learning_rate=10.0)))
    app = ended(pressed(app, "teach_start"))
    assert any("the learning rate 10 is too high" in error.replace("\\", "") for error in app.errors)
    (kept,) = TrainingStore().trainings()
    assert kept.status == "stopped" and "ended early" in said(app)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("rank", 0, "rank must be a whole number from 1 to 256"),
        ("learning_rate", 0.0, "learning_rate must be a number above 0"),
        ("heldout_share", 1.0, "heldout_share must be from 0 to 0.9"),
        ("most_tokens", 1, "most_tokens must be a whole number from 16"),
    ],
)
def test_settings_that_cannot_be_are_refused_and_the_last_value_stays(
    open_app: Open, name: str, value: float, words: str
) -> None:
    app = open_examples(open_app, TRAIN).hold(teach_advanced=True)
    app.at.number_input(key=f"teach_of_{name}").set_value(value)
    app.run()
    assert [words in error.replace("\\", "") for error in app.errors] == [True]
    assert app.state(TeachDraft).settings == TrainSettings.of("sft")
