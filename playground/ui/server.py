"""What happens once a server process: its guard, the model asked for at the start, all let go of at the end."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module, resources

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route
from streamlit.runtime import get_instance

from playground.engine.serving.loading import ModelChoice
from playground.errors import BadInput
from playground.metrics import measure
from playground.room.leading import leading_routes
from playground.room.limits import is_shared_server, present_limits
from playground.server.ending import end_promptly, given_patience
from playground.server.flood import Flood, QuietRefusals
from playground.server.guard import Guard, allowed_hosts, content_policy
from playground.server.sending import send_at_once
from playground.server.status import scraping_networks, status_routes
from playground.server.visitor import Visitor, given_secret
from playground.ui.kit.one_breath import hold_breath
from playground.ui.kit.quick_copies import copy_quickly
from playground.ui.kit.ready_threads import start_at_once
from playground.ui.kit.streamlit_mends import mend_streamlit
from playground.ui.runtime import check_model, close_pool, model_pool
from playground.ui.tabs import connections_of, may_upload
from playground.ui.visitor import visitor_cookies
from playground.ui.workspace.room import the_room

# What the first large picture or table would wait for, half a second: in a quiet moment once the first page is there.
SLOW_IMPORT, AFTER_START_S = "pandas", 8.0


def middleware() -> list[Middleware]:
    """What stands before Streamlit's own routes."""
    try:
        given_secret(os.environ)
        given_patience(os.environ)
        present_limits()
    except BadInput as error:
        raise SystemExit(str(error)) from None
    page = resources.files("streamlit").joinpath("static/index.html").read_text(encoding="utf-8")
    layers = [
        Middleware(Guard, hosts=allowed_hosts(os.environ), policy=content_policy(page)),
        Middleware(Visitor, cookies=visitor_cookies),
    ]
    if is_shared_server():
        logging.getLogger("uvicorn.error").addFilter(QuietRefusals())
        flood = Middleware(
            Flood,
            visitor_tabs=connections_of,
            address_tabs=lambda: present_limits().address_tabs,
            may_upload=may_upload,
        )
        layers.append(flood)
    return layers


def routes() -> list[Route]:
    """The paths for machines: health, readiness, counts; and the leader's link of a room."""
    try:
        networks = scraping_networks(os.environ)
    except BadInput as error:
        raise SystemExit(str(error)) from None
    return [*status_routes({"model": check_model, "store": _check_store}, networks), *leading_routes(the_room)]


def _check_store() -> None:
    from playground.store.connection import shared_database  # SQLAlchemy takes a while

    shared_database().check()


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
    end_promptly(given_patience(os.environ))
    send_at_once()
    mend_streamlit()
    hold_breath()
    copy_quickly()
    start_at_once()
    _measure()
    model_pool().keep_ready(ModelChoice())
    loop = asyncio.get_running_loop()
    later = loop.call_later(AFTER_START_S, lambda: loop.run_in_executor(None, import_module, SLOW_IMPORT))
    yield
    later.cancel()
    close_pool()
