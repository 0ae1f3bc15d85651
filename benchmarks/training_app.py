"""The app, whose model is taught for its first tab once the file that TRAIN_WHEN names is there; for ``bench_training``."""

import os
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import streamlit as st
from streamlit.runtime import get_instance

from playground.engine.api import CancelToken, Engine
from playground.errors import PlaygroundError
from playground.training.demonstrations import shipped
from playground.training.line import training_line
from playground.training.running import prepare
from playground.training.settings import TrainSettings
from playground.training.steps import TrainStep
from playground.training.student import open_student
from playground.ui.runtime import model_pool
from playground.ui.server import lifespan, middleware, routes

ROOT = Path(__file__).resolve().parents[1]
app = st.App(str(ROOT / "playground/ui/entry.py"), lifespan=lifespan, middleware=middleware(), routes=routes())


def _job(engine: Engine, cancel: CancelToken) -> Generator[TrainStep | None, None, None]:
    settings = replace(TrainSettings.of("sft"), epochs=20, most_tokens=128)
    rows = tuple(replace(row, response=" ".join([row.response] * 8)) for row in shipped("tone"))
    for step in prepare(open_student(None, settings), rows, settings, None).training.run():
        cancel.check()
        yield step


def _train_when(signal: Path) -> None:
    while not signal.exists():
        time.sleep(0.2)
    first = get_instance()._session_mgr.list_active_sessions()[0].session.id
    step_file = signal.with_name("steps")
    step_file.write_text("0")
    with suppress(PlaygroundError):  # the server ends before the training does
        for step in training_line().submit(model_pool().workers()[0], first, "train", _job).steps():
            step_file.write_text(str(step.step))


threading.Thread(target=_train_when, args=(Path(os.environ["TRAIN_WHEN"]),), daemon=True).start()
