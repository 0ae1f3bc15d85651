"""What happens once a server process: its guard, the model asked for at the start, all let go of at the end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route
from streamlit.runtime import get_instance

from playground.engine.serving.pool import ModelChoice
from playground.errors import BadInput
from playground.metrics import measure
from playground.server.ending import end_promptly
from playground.server.guard import Guard, allowed_hosts, content_policy
from playground.server.sending import send_at_once
from playground.server.status import scraping_networks, status_routes
from playground.testtime.stored_runs import shared_store
from playground.ui.runtime import check_model, close_pool, model_pool


def middleware() -> list[Middleware]:
    """What stands before Streamlit's own routes."""
    page = resources.files("streamlit").joinpath("static/index.html").read_text(encoding="utf-8")
    return [Middleware(Guard, hosts=allowed_hosts(os.environ), policy=content_policy(page))]


def routes() -> list[Route]:
    """The paths for machines: health, readiness, counts."""
    try:
        networks = scraping_networks(os.environ)
    except BadInput as error:
        raise SystemExit(str(error)) from None
    return status_routes({"model": check_model, "store": lambda: shared_store().check()}, networks)


def _measure() -> None:
    """What is told of now at each look at the counts."""

    def queued() -> int:
        return sum(worker.status().queued for worker in model_pool().workers())

    measure("queue_length", "Requests that wait for a model.", queued)
    measure("models", "Models in memory, or behind an address.", lambda: len(model_pool().workers()))
    measure("sessions", "Browser tabs that are connected.", lambda: get_instance()._session_mgr.num_active_sessions())


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Begin to load the default model, on a thread of its own, and release all at the end.

    A model that cannot be loaded is no reason not to serve: each reader is told why, as without this.
    """
    end_promptly()
    send_at_once()
    _measure()
    model_pool().keep_ready(ModelChoice())
    yield
    close_pool()
