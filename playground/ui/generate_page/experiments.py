"""The "Try this" buttons of the Generate page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.ui.experiments import begin
from playground.ui.generate_page.desk import COMPARE, WRITE, Todo, put_options
from playground.ui.generate_page.options import Options


@dataclass(frozen=True, slots=True)
class Experiment:
    """One guided experiment. ``look`` is shown until the reader starts another or closes it."""

    label: str
    shows: str
    look: str
    prompt: str
    settings: SamplerSettings
    options: Options
    section: str = WRITE
    scale: str = "probability"
    pins: tuple[SamplerSettings, ...] = ()
    seed: int = 0


GREEDY = NEUTRAL.replace(temperature=0.0)

EXPERIMENTS: dict[str, Experiment] = {
    "json": Experiment(
        "JSON cut off by its stop",
        "A stop string that comes too early leaves a text no parser reads",
        "The stop string “}” ends the text at the first closing brace, that of the inner object, and hides it: what is left "
        "cannot be parsed. Remove the stop string, press Generate, and the outer object is closed too.",
        'A user as JSON with the address inside.\nExample: {"name": "Bo", "address": {"city": "Oslo", "zip": "0150"}, '
        '"age": 41}\nAda from London: {"name": "Ada", "address": {"city":',
        GREEDY,
        Options(max_new_tokens=32, stop_strings=("}",)),
    ),
    "luck": Experiment(
        "Same luck, two temperatures",
        "Two settings that meet the same u at each step, and where they part",
        "A is cool (0.5), B is warm (1.2); both meet the same luck at each step. The dashed token is where B leaves A: open "
        "its distributions to see the same u fall into another band.",
        "Once upon a time, in a small village by the sea,",
        NEUTRAL,
        Options(max_new_tokens=32),
        COMPARE,
        pins=(NEUTRAL.replace(temperature=0.5), NEUTRAL.replace(temperature=1.2)),
        seed=3,
    ),
    "loop": Experiment(
        "A loop, measured",
        "Greedy decoding repeats itself; a penalty stops it; the table says how much",
        "A is greedy and soon repeats itself, B has a repetition penalty of 1.3, C samples with top-p 0.9. Compare the "
        "repeated 4-grams in the table.",
        "I like to eat apples. I like to eat",
        GREEDY,
        Options(max_new_tokens=40),
        COMPARE,
        pins=(GREEDY, GREEDY.replace(repetition_penalty=1.3), NEUTRAL.replace(top_p=0.9)),
    ),
    "fork": Experiment(
        "Where it could have gone",
        "Coloured by entropy: the bright tokens are where the text was decided",
        "Bright tokens are open moments. Press one, then press another bar: the text goes on from there, and the tree below "
        "keeps both ways with their probabilities.",
        "The best way to learn a language is",
        NEUTRAL.replace(temperature=0.8, top_p=0.95),
        Options(max_new_tokens=40),
        scale="entropy",
    ),
}


def start(name: str) -> Callable[[], None]:
    """The callback that sets the page up for experiment ``name`` and runs it."""

    def set_up() -> None:
        experiment = EXPERIMENTS[name]
        begin("generate", name, prompt=experiment.prompt, settings=experiment.settings, seed=experiment.seed)
        put_options(experiment.options)
        st.session_state["generate_scale"] = experiment.scale
        st.session_state["generate_section"] = experiment.section
        if experiment.section == COMPARE:
            st.session_state["pins"] = dict(zip("ABCD", experiment.pins, strict=False))
            st.session_state["compare_wanted"] = True
        else:
            st.session_state["generate_wanted"] = Todo("write")

    return set_up
