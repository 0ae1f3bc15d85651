"""Saying things to the reader: problems, hints and hostile text made harmless."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from playground.errors import Cancelled, ModelNotFound, PlaygroundError
from playground.glossary import define
from playground.room.limits import is_shared_server
from playground.ui.kit.jobs import Pending, offer_again, show_pending
from playground.ui.kit.markdown import escape_markdown

__all__ = ["escape_markdown", "problems_shown_here", "said", "show_problem", "why_it_matters"]

# An absolute path, or a database's address; not "tokens/s", an address of the web or a fraction.
_PATH = re.compile(
    r"""(?<=')~?/[^']+(?=')|(?<![\w/:.])~?/[^\s'"()<>,;:]+|\b(?:postgresql|sqlite)[+\w]*://[^\s'"()<>,;]+"""
)


def show_problem(error: PlaygroundError | str) -> None:
    """One sentence where the problem arose."""
    st.error(said(error), icon=":material/error:")


def said(error: PlaygroundError | str) -> str:
    """Its sentence, for Markdown. On a shared server without what it tells of the disk, which the log has."""
    sentence = str(error)
    if is_shared_server():
        public = _PATH.sub("a folder of the server", sentence)
        if public != sentence:
            logging.getLogger(__name__).warning("Told a visitor without its paths: %s", sentence)
        sentence = public
    return escape_markdown(sentence)


@contextmanager
def problems_shown_here() -> Iterator[None]:
    """Turn a PlaygroundError into one sentence at this place, and what is pending into its progress; the rest goes on."""
    try:
        yield
    except Pending as pending:
        show_pending(pending)
    except Cancelled:
        offer_again()
    except ModelNotFound as error:
        from playground.ui.workspace.model_picker import offer_hub_model  # it shows problems itself

        show_problem(error)
        offer_hub_model()
    except PlaygroundError as error:
        show_problem(error)


def why_it_matters(text: str, *terms: str) -> None:
    """The short note under a picture. ``text`` is ours, so it may use Markdown. The glossary's ``terms`` are its hover."""
    st.caption(text, help="\n\n".join(define(term) for term in terms) or None)
