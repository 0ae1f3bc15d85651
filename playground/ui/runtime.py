"""The shared model behind all sessions of this server."""

from __future__ import annotations

import atexit
import gc
import os
import threading
from contextlib import suppress

import streamlit as st
from streamlit import runtime
from streamlit.errors import StreamlitSecretNotFoundError
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.engine.api import Engine
from playground.engine.serving.loading import AtRest, Loading, ModelChoice, OverOthers
from playground.engine.serving.pool import ModelPool
from playground.errors import ModelError
from playground.models.address import KEY_VARIABLE, ServerAccess
from playground.ui.kit.pace import crowded
from playground.ui.tabs import SHARING, is_alive


def _open_engine(choice: ModelChoice, loading: Loading) -> Engine:
    """Import the heavy libraries only now, so that the frame is on screen before them."""
    loading.report("Starting the tensor library", 0.0)
    from playground.engine.factory import make_engine
    from playground.generation.streaming import stream_rows

    access = ServerAccess(_server_key())
    engine = make_engine(
        choice.spec, choice.device, choice.dtype, loading.report, stream_rows, access, loading.admit, crowded
    )
    if runtime.exists():
        spare_permanent_objects()
    return engine


def spare_permanent_objects() -> None:
    """Take libraries and weights out of Python's collections, which stop all threads for 0.3 s each time they walk them."""
    gc.collect()  # what is garbage now would be kept
    gc.freeze()


def _server_key() -> str | None:
    """The key for servers: from the environment, else from Streamlit's secrets."""
    given = os.environ.get(KEY_VARIABLE)
    if given is None:
        with suppress(StreamlitSecretNotFoundError):  # there are none
            given = str(st.secrets.get(KEY_VARIABLE, ""))
    return given or None


def session_id() -> str:
    """This browser tab's id, "" outside of a script run."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else ""


def former_session_id() -> str:
    """The id this browser tab had before, at a process that is gone: its browser names it as it connects again. "" for none."""
    protocols = st.context.headers.get("Sec-WebSocket-Protocol", "").split(",")
    former = protocols[2].strip() if len(protocols) > 2 else ""
    return former if former != session_id() else ""


def _normalised(choice: ModelChoice) -> ModelChoice:
    from playground.models.naming import normal_names

    return ModelChoice(*normal_names(choice.spec, choice.device, choice.dtype))


def _base_of(choice: ModelChoice) -> ModelChoice | None:
    from playground.models.naming import base_names

    names = base_names(choice.spec, choice.device, choice.dtype)
    return None if names is None else ModelChoice(*names)


def _open_adapted(choice: ModelChoice, base: Engine, at_rest: AtRest) -> Engine:
    from playground.engine.factory import adapted

    return adapted(base, choice.spec, at_rest)


class _Process:
    """What this process has once. Not in ``st.cache_resource``: any client may send the message that clears that."""

    lock = threading.Lock()
    pool: ModelPool | None = None


def model_pool() -> ModelPool:
    """The one pool of this server. Closed when the process ends: a thread still inside torch would abort it."""
    with _Process.lock:
        if _Process.pool is None:
            _Process.pool = ModelPool(
                _open_engine,
                normalise=_normalised,
                is_alive=is_alive,
                sharing=SHARING,
                over=OverOthers(_base_of, _open_adapted),
            )
            atexit.register(_Process.pool.close)
        return _Process.pool


def check_model() -> None:
    """Whether readers can be served: raises a PlaygroundError while no model is in memory, or a server does not answer."""
    workers = model_pool().workers()
    if not workers:
        loading = model_pool().keep_ready(ModelChoice())  # one that failed is tried again: its server may be there now
        raise loading.error or ModelError("The model is on its way: wait a moment.")
    for worker in workers:
        if worker.engine.info.server is not None:
            from playground.engine.remote.alive import check_answers

            check_answers(worker.engine.info.id)


def close_pool() -> None:
    """Release all models; the next look makes a new pool."""
    with _Process.lock:
        pool, _Process.pool = _Process.pool, None
    if pool is not None:
        atexit.unregister(pool.close)
        pool.close()
    gc.unfreeze()  # the end of a process collects everything


_OWN_LOADING = "own_loading"
CARD_IS_WAITING = "model_card_is_waiting"  # the page was drawn while the model was on its way


def request_model(choice: ModelChoice) -> Loading:
    """The loading of ``choice``. One that failed stays failed for this session until ``forget_failure``.

    Without that every move of a slider would start the loader of a broken model once more.
    """
    own = st.session_state.get(_OWN_LOADING)
    if isinstance(own, Loading) and own.choice == choice and (not own.done.is_set() or own.error is not None):
        return own
    st.session_state[_OWN_LOADING] = loading = model_pool().request(session_id(), choice)
    return loading


def note_end(loading: Loading) -> None:
    """Once ``loading`` is done: draw the page again if the sidebar still says that the model is loading."""
    if loading.done.is_set() and st.session_state.pop(CARD_IS_WAITING, False):
        st.rerun()


def forget_failure() -> None:
    """Let the next request try once more."""
    st.session_state.pop(_OWN_LOADING, None)
