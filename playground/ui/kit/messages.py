"""Saying things to the reader: problems, hints and hostile text made harmless."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from playground.errors import Cancelled, ModelNotFound, PlaygroundError, Superseded
from playground.glossary import define

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=@/])")


def escape_markdown(text: str) -> str:
    """``text`` with everything that Markdown, HTML, LaTeX or Streamlit's colour syntax could act on made literal."""
    return _MARKDOWN.sub(r"\\\1", text.replace("\n", " ").replace("\r", " "))


def show_problem(error: PlaygroundError | str) -> None:
    """One sentence where the problem arose."""
    st.error(escape_markdown(str(error)), icon=":material/error:")


@contextmanager
def problems_shown_here() -> Iterator[None]:
    """Turn a PlaygroundError into one sentence at this place; the rest of the page goes on."""
    try:
        yield
    except Superseded:
        return
    except Cancelled:
        from playground.ui.waiting import offer_again  # it shows problems itself

        offer_again()
    except ModelNotFound as error:
        from playground.ui.model_picker import offer_hub_model  # it stands on the state, which shows problems itself

        show_problem(error)
        offer_hub_model()
    except PlaygroundError as error:
        show_problem(error)


def why_it_matters(text: str, *terms: str) -> None:
    """The short note under a picture. ``text`` is ours, so it may use Markdown. The glossary's ``terms`` are its hover."""
    st.caption(text, help="\n\n".join(define(term) for term in terms) or None)
