"""What happens once a server process: its guard, the model asked for at the start, all let go of at the end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources

import streamlit as st
from starlette.middleware import Middleware

from playground.engine.serving.pool import ModelChoice
from playground.server.ending import end_promptly
from playground.server.guard import Guard, allowed_hosts, content_policy
from playground.server.sending import send_at_once
from playground.ui.runtime import close_pool, model_pool


def middleware() -> list[Middleware]:
    """What stands before Streamlit's own routes."""
    page = resources.files("streamlit").joinpath("static/index.html").read_text(encoding="utf-8")
    return [Middleware(Guard, hosts=allowed_hosts(os.environ), policy=content_policy(page))]


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Begin to load the default model, on a thread of its own, and release all at the end.

    A model that cannot be loaded is no reason not to serve: each reader is told why, as without this.
    """
    end_promptly()
    send_at_once()
    model_pool().keep_ready(ModelChoice())
    yield
    close_pool()
