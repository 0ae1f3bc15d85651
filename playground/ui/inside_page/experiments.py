"""The "Try this" buttons of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from playground.ui.experiments import begin
from playground.ui.inside_page.choice import put_options
from playground.ui.inside_page.options import Options
from playground.ui.inside_page.view import LOOKED_AT


@dataclass(frozen=True, slots=True)
class Experiment:
    """One guided experiment. ``look`` is shown until the reader starts another or closes it."""

    label: str
    shows: str
    look: str
    prompt: str
    options: Options


EXPERIMENTS: dict[str, Experiment] = {
    "answer": Experiment(
        "See the answer appear",
        "The depth at which the model's answer takes the lead",
        "Read the last column from the bottom up: commas and brackets for most of the way, and only in the last layers "
        "“Paris”. The ranks below show that it climbs for several layers before it leads. Then press the top cell after "
        "“in”: the model says Paris there too, before it has read “the city of”.",
        "The Eiffel Tower is in the city of",
        Options(),
    ),
    "pattern": Experiment(
        "A pattern settles earlier",
        "Counting, coloured by how far each depth is from the answer",
        "Dark is near the answer. Compare the columns after the spaces ␣, where a number must come: at the first ones "
        "layer 25 is still one or two nats away, at the later ones a tenth. The last breaks the rule, for after 9 comes a "
        "number of two digits.",
        "1 2 3 4 5 6 7 8 9 10",
        Options(colour="divergence", depth=25),
    ),
    "cost": Experiment(
        "Why reading is cheap and writing is dear",
        "The same model reads many tokens a second and writes few",
        "In the table a token read costs a fraction of a token written: a prompt's tokens share one pass over the weights, "
        "and each new token needs a pass of its own. Choose Roofline below: the diamonds on the left are writes.",
        "The capital of France is",
        Options(section="timing"),
    ),
}


def start(name: str) -> Callable[[], None]:
    """The callback that sets the page up for experiment ``name``."""

    def set_up() -> None:
        experiment = EXPERIMENTS[name]
        begin("inside", name, prompt=experiment.prompt)
        put_options(experiment.options)
        st.session_state.pop(LOOKED_AT, None)  # the cell is the experiment's own

    return set_up
