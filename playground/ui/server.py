"""What happens once a server process: the model is asked for at the start and let go at the end.

Optional: `streamlit run app.py` works without it, and then loads the model for its first reader. Here the libraries and
the weights are read while the reader's browser is still starting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from playground.engine.serving.pool import ModelChoice
from playground.ui.runtime import model_pool

NOBODY = ""  # no reader's session: what is loaded for it goes as soon as readers have chosen other models


@asynccontextmanager
async def with_model(_app: st.App) -> AsyncIterator[None]:
    """A lifespan of ``st.App``: begin to load the default model, on a thread of its own, and release all at the end.

    A model that cannot be loaded is no reason not to serve: each reader is told why, as without this.
    """
    pool = model_pool()
    pool.request(NOBODY, ModelChoice())
    yield
    pool.close()
