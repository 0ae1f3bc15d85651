"""What "Take away" offers beside the link: the commands that measure and train what the open section is set to."""

from __future__ import annotations

import shlex
from dataclasses import asdict

import streamlit as st

from playground.architectures.race import LONG_CONTEXTS
from playground.architectures.request import LearnRequest, usual_request
from playground.architectures.tasks import TASKS
from playground.state.architectures import ArchitecturesState
from playground.ui.architectures_page.growth_job import Race
from playground.ui.architectures_page.learn_job import wanted_requests
from playground.ui.kit import session

_FLAGS = {"width": "width", "steps": "steps", "learning_rate": "learning-rate"}  # of what differs from the usual


def export_growth() -> None:
    """The race of the chosen families, over the texts up to the longest chosen."""
    chosen, own = session.get(ArchitecturesState), session.get(Race).own
    configs = [*chosen.families, *(["config.json"] if own is not None else [])]
    st.markdown("**Command**")
    if configs:
        _show_commands([race_words(configs, chosen.longest)])
    if own is not None:
        st.caption("Your config is not in the command: give it the file's path.")
    if chosen.loaded or not configs:
        st.caption("The model in use is measured on this page only: the command builds its models with random weights.")


def export_learning() -> None:
    """A line a model and seed."""
    st.markdown("**Commands**, one a model and seed")
    _show_commands([learn_words(request) for request in wanted_requests(session.get(ArchitecturesState))])


def export_note() -> None:
    """What there is no command for."""
    st.caption("This section has no command of its own: `python -m playground arch` races and trains models.")


def race_words(configs: list[str], longest: int) -> list[str]:
    """``arch race`` over the same texts as the page's Measure."""
    contexts = ",".join(str(context) for context in LONG_CONTEXTS if context <= longest)
    return ["arch", "race", *(word for name in configs for word in ("--config", name)), "--contexts", contexts]


def learn_words(request: LearnRequest) -> list[str]:
    """``arch learn`` of one training; what is usual for the task is left out."""
    words = ["arch", "learn", "--task", request.task, "--model", request.model, "--seed", str(request.seed)]
    usual, own = asdict(usual_request(request.task, request.model, request.seed)), asdict(request)
    flags = {"size": TASKS[request.task].axis, **_FLAGS}
    return words + [f"--{flag}={own[name]:g}" for name, flag in flags.items() if own[name] != usual[name]]


def _show_commands(commands: list[list[str]]) -> None:
    code = "\n".join(shlex.join(["python", "-m", "playground", *words]) for words in commands)
    st.code(code, language="bash", wrap_lines=True)
