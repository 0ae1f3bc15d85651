"""Saying things to the reader: problems, hints and hostile text made harmless."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from playground.errors import Cancelled, ModelNotFound, PlaygroundError
from playground.glossary import define
from playground.ui.kit.jobs import Pending, offer_again, show_pending
from playground.ui.kit.markdown import escape_markdown

__all__ = ["escape_markdown", "problems_shown_here", "show_problem", "why_it_matters"]


def show_problem(error: PlaygroundError | str) -> None:
    """One sentence where the problem arose."""
    st.error(escape_markdown(str(error)), icon=":material/error:")


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
