"""What the pages' take-away popovers share: the popover itself, code for other engines, the command line's words."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping

import streamlit as st

from playground.errors import PlaygroundError
from playground.models.catalogue import resolve
from playground.room.limits import is_shared_server
from playground.sampling.export_code import Endings
from playground.state.setup import Setup
from playground.ui.kit.markdown import escape_markdown
from playground.ui.workspace.model import chosen_model, request_chosen

_MOST_ARGUMENT_BYTES = 120_000  # Linux passes on at most 128 KiB as one argument
_LONGEST_ADDRESS = 100_000  # one of 200,000 was refused by Streamlit's server, one of 100,000 opened
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
    if len(address) > _LONGEST_ADDRESS:
        st.warning(
            f"The link has {len(address):,} characters, more than this server takes ({_LONGEST_ADDRESS:,}): "
            "shorten the text, or keep it as a file beside the settings.",
            icon=":material/warning:",
        )


def model_id() -> str:
    """The id other engines know the chosen model by: its hub id where it has one, else what the reader typed; of a shared
    server's folder only the name.
    """
    source = resolve(chosen_model().spec)
    if source.path is not None and not source.hub_id:
        return source.path.name if is_shared_server() else str(source.path)
    return source.hub_id or source.id


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
            "Engine",
            names,
            default=names[0],
            key=key,
            required=True,
            label_visibility="collapsed",
            format_func=lambda name: EXPORTS[name].label,
        )
    )
    own = engine == "playground"
    exported = export(
        engine,
        setup.settings,
        model_id=(setup.model or "") if own else model_id(),
        prompt=setup.prompt,
        chat=setup.chat,
        system=setup.system or None,
        seed=setup.seed,
        max_new_tokens=max(1, max_new_tokens),
        endings=endings,
    )
    code = shlex.join(next_words(setup)) + "\n" if own else exported.code
    st.code(code, language=exported.language, wrap_lines=True)
    if resolve(chosen_model().spec).adapter is not None and not own:
        st.warning(
            "The adapter is not in this code: take its folder from the sidebar and load it there, or write the merged model.",
            icon=":material/warning:",
        )
    if setup.taken and playground and not own:
        st.caption(
            f"The {len(setup.taken):,} accepted tokens travel in the link and in this playground's own line only."
        )
    if notes:
        st.caption(notes.get(engine, notes[""]))
    if resolve(setup.model).kind == "bundled" and not own:
        st.caption(_ROUNDED)
    for warning in (*exported.warnings, *_text_warnings(setup, engine, exported.language)):
        st.warning(escape_markdown(warning), icon=":material/warning:")


def _text_warnings(setup: Setup, engine: str, language: str) -> tuple[str, ...]:
    """What of the prompt itself does not come through in ``engine``'s code."""
    warnings = []
    if language == "bash" and (
        "\0" in setup.prompt or len(setup.prompt.encode("utf-8", "replace")) > _MOST_ARGUMENT_BYTES
    ):
        flag = "--prompt-file" if engine == "playground" else "-f"
        warnings.append(f"No shell passes on a text like this: save it to a file and give that with {flag}.")
    if engine != "playground" and not setup.parse_special and _spells_special(setup):
        warnings.append("The text spells a special token: engines read it as the token itself, here it is plain text.")
    return tuple(warnings)


def _spells_special(setup: Setup) -> bool:
    """Whether the model's tokenizer would find a special token in the text, if it were asked to."""
    loading = request_chosen()
    if not loading.done.is_set() or loading.worker is None:
        return False
    codec = loading.worker.engine.codec
    texts = (setup.prompt, setup.system if setup.chat else "")
    try:
        return any(codec.encode(text, parse_special=True) != codec.encode(text) for text in texts if text)
    except PlaygroundError:  # the page itself says what is wrong with the text
        return False


def next_words(setup: Setup) -> list[str]:
    """``python -m playground next`` for what is on screen: accepted tokens in view and models beside are part of it."""
    taken = [f"--generated={','.join(map(str, setup.taken))}"] if setup.taken else []
    return command_words(setup, "next") + taken + [f"--compare-model={one.text}" for one in setup.beside]


def command_words(setup: Setup, command: str) -> list[str]:
    """``python -m playground <command>`` with the same model, text, settings and seed, for more flags to be added."""
    from playground.sampling.export import export

    exported = export(
        "playground",
        setup.settings,
        model_id=setup.model or "",
        prompt=setup.prompt,
        chat=setup.chat,
        system=setup.system or None,
        seed=setup.seed,
    )
    words = shlex.split(exported.code)
    words[words.index("next")] = command
    words += ["--parse-special"] if setup.parse_special else []
    return words + _format_words(setup)


def model_words(setup: Setup) -> list[str]:
    """The flags of a command that reads with the model in use and takes no prompt."""
    return [*([f"--model={setup.model}"] if setup.model else []), *_format_words(setup)]


def show_command(*words: str) -> None:
    """A command of this playground, ready to be copied."""
    st.markdown("**On the command line**")
    st.code(shlex.join(["python", "-m", "playground", *words]), language="bash", wrap_lines=True)


def _format_words(setup: Setup) -> list[str]:
    return [
        *([f"--dtype={setup.dtype}"] if setup.dtype else []),
        *([f"--device={setup.device}"] if setup.device else []),
    ]
