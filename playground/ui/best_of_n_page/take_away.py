"""The take-away popover of the Best-of-N page: link and command line."""

from __future__ import annotations

import shlex

import streamlit as st

from playground.ui import state
from playground.ui.best_of_n_page.bench import options
from playground.ui.best_of_n_page.link import page_link
from playground.ui.best_of_n_page.options import Options, pattern_of, reference_of
from playground.ui.setup import Setup


def take_away() -> None:
    """The popover at the top right. Its body runs only while it is open."""
    with st.popover(
        "Take away", icon=":material/ios_share:", on_change="rerun", key="take_away", width="stretch"
    ) as box:
        if box.open:
            _contents()


def _contents() -> None:
    setup, chosen = state.setup(), options()
    st.markdown("**Link** to this page: the same candidates, generated anew")
    st.code(page_link(setup, chosen), language=None, wrap_lines=True)
    st.markdown("**Command line**")
    st.code(command(setup, chosen), language="bash", wrap_lines=True)


def command(setup: Setup, chosen: Options) -> str:
    """``python -m playground best-of-n`` with the same model, text, settings, seed and rules."""
    from playground.sampling.export import export

    made = export(
        "playground", setup.settings, model_id=setup.model or "", prompt=setup.prompt, chat=setup.chat,
        system=setup.system or None, seed=setup.seed,
    )  # fmt: skip
    words = shlex.split(made.code)
    words[words.index("next")] = "best-of-n"
    words += [f"--n={chosen.n}", f"--max-new-tokens={chosen.max_new_tokens}"]
    words += [f"--scorer={label}" for label in chosen.rules]
    reference, pattern = reference_of(chosen, setup), pattern_of(chosen, setup)
    words += [f"--answer-pattern={pattern}"] if pattern else []
    words += [f"--reference={reference}"] if reference else []
    words += ["--parse-special"] if setup.parse_special else []
    words += [f"--dtype={setup.dtype}"] if setup.dtype else []
    words += [f"--device={setup.device}"] if setup.device else []
    return shlex.join(words)
