"""What the pages' take-away popovers share: the popover itself, code for other engines, the command line's words."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping

import streamlit as st

from playground.models.catalogue import resolve
from playground.sampling.export_code import Endings
from playground.ui.messages import plain
from playground.ui.model_picker import chosen_model
from playground.ui.setup import Setup

_ROUNDED = "The hub has the original weights; the bundled ones were rounded to 4 bits, so figures differ a little."


def popover(contents: Callable[[], None], *, key: str = "take_away") -> None:
    """The popover at the top right. ``contents`` runs only while it is open."""
    with st.popover("Take away", icon=":material/ios_share:", on_change="rerun", key=key, width="stretch") as box:
        if box.open:
            contents()


def show_link(address: str, what: str = "to exactly this page") -> None:
    """The link, ready to be copied."""
    st.markdown(f"**Link** {what}")
    st.code(address, language=None, wrap_lines=True)


def model_id() -> str:
    """The id other engines know the chosen model by: its hub id where it has one, else what the reader typed."""
    source = resolve(chosen_model().spec)
    return source.hub_id or str(source.path or source.id)


def code_for_engines(
    setup: Setup,
    *,
    key: str,
    max_new_tokens: int = 128,
    endings: Endings = Endings(),  # noqa: B008 - frozen
    playground: bool = False,
    notes: Mapping[str, str] | None = None,
) -> None:
    """The settings as code for a chosen engine, with what that engine cannot do.

    ``playground``: offer this playground's own command line too. ``notes``: a sentence under an engine's code, by its
    name, "" for all others.
    """
    from playground.sampling.export import EXPORTS, export

    st.markdown("**As code**")
    names = [name for name in EXPORTS if playground or name != "playground"]
    engine = str(
        st.segmented_control(
            "Engine", names, default=names[0], key=key, required=True, label_visibility="collapsed",
            format_func=lambda name: EXPORTS[name].label,
        )
    )  # fmt: skip
    own = engine == "playground"
    made = export(
        engine, setup.settings, model_id=(setup.model or "") if own else model_id(), prompt=setup.prompt,
        chat=setup.chat, system=setup.system or None, seed=setup.seed, max_new_tokens=max(1, max_new_tokens),
        endings=endings,
    )  # fmt: skip
    st.code(made.code, language=made.language, wrap_lines=True)
    if notes:
        st.caption(notes.get(engine, notes[""]))
    if resolve(setup.model).kind == "bundled" and not own:
        st.caption(_ROUNDED)
    for warning in made.warnings:
        st.warning(plain(warning), icon=":material/warning:")


def command_words(setup: Setup, command: str) -> list[str]:
    """``python -m playground <command>`` with the same model, text, settings and seed, for more flags to be added."""
    from playground.sampling.export import export

    made = export(
        "playground", setup.settings, model_id=setup.model or "", prompt=setup.prompt, chat=setup.chat,
        system=setup.system or None, seed=setup.seed,
    )  # fmt: skip
    words = shlex.split(made.code)
    words[words.index("next")] = command
    words += ["--parse-special"] if setup.parse_special else []
    words += [f"--dtype={setup.dtype}"] if setup.dtype else []
    words += [f"--device={setup.device}"] if setup.device else []
    return words
