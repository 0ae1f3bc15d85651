"""What the sections draw: the documents' values under the present dials. No model runs, nothing is measured again.

A dial redraws the kept share in a run of its own, and what stands below it in the next: the browser lays out all that one
run sends before it paints any of it, and the document with its table takes longer than the share.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.corpus.measuring import Measured, want_language
from playground.corpus.rules import RULES
from playground.corpus.verdicts import Verdicts, judge
from playground.engine.serving.worker import Worker
from playground.state.data_training import FilterState
from playground.ui.kit import session
from playground.ui.kit.fragments import ADDRESS, PICTURES, is_drawn
from playground.ui.kit.wake import rerunner
from playground.ui.training_data_page.corpus import Corpus, present_documents
from playground.ui.workspace.model import loaded_model

SELDOM_S = 60.0
SHARE, DOCUMENT = f"{PICTURES}:share", f"{PICTURES}:document"


@dataclass(frozen=True, slots=True)
class FilterView:
    """``dials``: the active rules with their thresholds, the ones that ``verdicts`` are of."""

    worker: Worker
    measured: Measured
    dials: dict[str, float]
    verdicts: Verdicts

    def label(self, rule: str) -> str:
        """A rule as the reader knows it."""
        return RULES[rule].label


def load_view() -> FilterView:
    """Raises Pending while the model is loaded or the sample is read for the first time."""
    worker = loaded_model()
    measured, state, own = present_documents(worker), session.get(FilterState), session.get(Corpus)
    if own.language != state.language:
        want_language(measured, state.language)
        own.language = state.language
    dials = state.thresholds
    return FilterView(worker, measured, dials, judge(measured.values, dials))


def document_name(measured: Measured, number: int) -> str:
    """What a document is called in lists."""
    return str(measured.ids[number])[:60]


@dataclass(eq=False)
class _Behind:
    """The parts that a moved dial has not been drawn in yet."""

    parts: tuple[str, ...] = ()


def share_first(*others: str) -> tuple[str, ...]:
    """From the callback of a rule's dial: the part that it redraws, where that is in view; the rest with ``others`` follows."""
    if not is_drawn(SHARE):
        return (PICTURES, *others)
    session.get(_Behind).parts = (DOCUMENT, *others, ADDRESS)
    return (SHARE,)


def draw_the_rest() -> None:
    """At the end of the share: what the dial has changed besides, in a run of its own once this one is on the screen."""
    behind = session.get(_Behind)
    parts, behind.parts = behind.parts, ()
    for part in parts:
        rerunner(part, SELDOM_S)()
