"""The "Try this" buttons of the Attention page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from playground.ui.attention_page.choice import SECTION_KEY, change
from playground.ui.attention_page.options import SECTIONS, Options
from playground.ui.experiments import begin


@dataclass(frozen=True, slots=True)
class Experiment:
    """One guided experiment. ``look`` is shown until the reader starts another or closes it."""

    label: str
    shows: str
    look: str
    prompt: str
    options: Options


EXPERIMENTS: dict[str, Experiment] = {
    "induction": Experiment(
        "Find the induction head",
        "A head that looks at what came after the same word earlier",
        "The brightest cell is the strongest induction head of this model, measured on random tokens that repeat. Press it: "
        "under Heads, mark the second “Dur” and see it look at what followed the first one, “rant”.",
        "Mr Durrant and Mrs Potter met by the river. Mr Durrant",
        Options(section="doing", score="induction"),
    ),
    "sink": Experiment(
        "Watch the sink",
        "How much goes to a first token that means nothing",
        "Most thumbnails have a bright left edge: their heads give the first token most of their attention, whatever it is, "
        "when they find nothing to fetch. Switch on “Hide the first token” to see what is left, renormalised.",
        "The river runs past the mill and the old stone bridge before it turns towards the sea",
        Options(heads="all.mean", scale="log"),
    ),
    "it": Experiment(
        "What “it” looks at",
        "One token's attention, on the text itself",
        "The marked token is “it”. Colour to its left is what it attends to, colour to its right is who attends to it. Walk "
        "through layers and heads: each looks elsewhere. None of this alone says how the model settles what “it” is.",
        "The animal did not cross the street because it was too tired",
        Options(hide_first=True, scale="stretched", query=8),
    ),
    "shared": Experiment(
        "Three queries, one key",
        "Grouped queries: heads that share their keys and still differ",
        "This head's keys are shared with its neighbours, which the buttons name. Press them in turn: the same keys, another "
        "query vector, other scores and weights.",
        "When Mary and John went to the store, John gave a drink to",
        Options(section="weight", heads="12.3"),
    ),
}


def start(name: str) -> Callable[[], None]:
    """The callback that sets the page up for experiment ``name``."""

    def set_up() -> None:
        experiment = EXPERIMENTS[name]
        begin("attention", name, prompt=experiment.prompt)
        wanted = experiment.options
        change(**{field: getattr(wanted, field) for field in Options.__dataclass_fields__})
        st.session_state[SECTION_KEY] = SECTIONS[wanted.section]

    return set_up
