"""What a visitor may do on a shared server, as the pages ask: limits, models, uploads. On one's own machine everything.

Whoever leads the room is the host: he may upload, and choose any model.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from playground.engine.serving.loading import Loading, ModelChoice
from playground.errors import ModelRefused
from playground.generation.types import GenerationRequest
from playground.models.naming import read_compared
from playground.room.limits import UNLIMITED, Limits, is_shared_server, present_limits
from playground.testtime.registry import parse_spec
from playground.testtime.request import BestOfNRequest
from playground.ui.runtime import model_pool
from playground.ui.tabs import leads_the_room
from playground.ui.visitor import visitor_id
from playground.ui.workspace.adapter_access import may_use

MODELS_VARIABLE = "PLAYGROUND_MODELS"


def is_guest() -> bool:
    """Whether this visitor uses somebody else's server, and does not lead the room."""
    return is_shared_server() and not leads_the_room(visitor_id())


# -- how much ----------------------------------------------------------------------------------------------------------


def visitor_limits() -> Limits:
    return present_limits() if is_guest() else UNLIMITED


def check_requests(requests: Iterable[GenerationRequest]) -> None:
    """Before texts are written together. Raises LimitReached."""
    limits, asked = visitor_limits(), list(requests)
    limits.check_rows(len(asked))
    for request in asked:
        limits.check_new_tokens(request.max_new_tokens)
        limits.check_prompt(len(request.prompt_ids))


def check_best_of_n(request: BestOfNRequest) -> None:
    """Before candidates are made, judged or raced. Raises LimitReached and ModelRefused."""
    limits = visitor_limits()
    limits.check_rows(request.n + request.beams)
    limits.check_new_tokens(request.max_new_tokens)
    for scorer in request.scorers:
        spec = parse_spec(scorer)
        if spec.name == "reward" and (problem := model_refusal(ModelChoice((spec.argument or "").partition("#")[0]))):
            raise ModelRefused(problem)


# -- which models ------------------------------------------------------------------------------------------------------


def offered_models() -> dict[str, ModelChoice]:
    """What a guest may choose, by the name that is shown: the model this server was started with, then PLAYGROUND_MODELS."""
    return _offered(os.environ.get(MODELS_VARIABLE, ""))


@functools.lru_cache(maxsize=8)
def _offered(listed: str) -> dict[str, ModelChoice]:
    choices = {"": ModelChoice()}
    for name in filter(None, (part.strip() for part in listed.split(","))):
        choices[name] = model_pool().normalised(ModelChoice(*read_compared(name).names(None, None, None)))
    return choices


def model_refusal(choice: ModelChoice) -> str:
    """Why this visitor may not choose a model; "" where he may: those offered, what is in memory already (the host's), and
    his own adapters on them.

    The same for all others, whether there is such a model or not.
    """
    if not is_guest():
        return ""
    wanted = model_pool().normalised(choice)
    if wanted in offered_models().values() or wanted in model_pool().asked_for() or may_use(wanted):
        return ""
    others = [name for name in offered_models() if name]
    beside = f", {', '.join(others)}" if others else ""
    return f"This shared server offers the model it was started with{beside}, and no other: choose one of those."


def refused_loading(problem: str, choice: ModelChoice) -> Loading:
    """A loading that has failed, for who is not to begin one."""
    loading = Loading(choice, error=ModelRefused(problem))
    loading.finish()
    return loading


def show_shared_server(limits: Limits) -> None:
    """What holds for a guest, in words."""
    st.markdown(
        "Several people use this server. For each visitor at most:  \n"
        f"{limits.tabs:,} tabs · {limits.queued:,} requests at a time · {limits.runs:,} recorded runs  \n"
        f"{limits.rows:,} texts at once · {limits.new_tokens:,} new tokens each · {limits.prompt_tokens:,} tokens of prompt  \n"
        "No uploads, models from a list. Recorded runs are seen by you alone."
    )


# -- files -------------------------------------------------------------------------------------------------------------


def file_uploader(label: str, **options: Any) -> UploadedFile | None:  # noqa: ANN401 - Streamlit's own options
    """Streamlit's uploader for one file, of 20 MB unless ``max_upload_size`` says more; a guest is told that it is locked."""
    if is_guest():
        st.caption(f":material/lock: {label}: locked on a shared server.")
        return None
    uploaded: UploadedFile | None = st.file_uploader(label, **{"max_upload_size": 20, **options})  # of one file
    return uploaded
