"""The front door as it is, with a line in the file ``PLAYGROUND_OPENINGS`` for every model that is loaded.

None is loaded before the file ``PLAYGROUND_GATE`` is there.
"""

import os
import time
from pathlib import Path

import streamlit as st

from playground.engine.api import Engine
from playground.engine.serving.loading import Loading, ModelChoice
from playground.ui import runtime
from playground.ui.server import lifespan, middleware

_open_engine = runtime._open_engine


def _count(choice: ModelChoice, loading: Loading) -> Engine:
    with Path(os.environ["PLAYGROUND_OPENINGS"]).open("a", encoding="utf-8") as file:
        file.write(f"{choice}\n")
    while not Path(os.environ["PLAYGROUND_GATE"]).exists():
        time.sleep(0.05)  # another process's file has no event to wait for
    return _open_engine(choice, loading)


runtime._open_engine = _count
app = st.App(Path(__file__).resolve().parents[2] / "playground/ui/entry.py", lifespan=lifespan, middleware=middleware())
