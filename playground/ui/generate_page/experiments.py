"""The "Try this" buttons of the Generate page."""

from __future__ import annotations

from typing import Any

from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.state.sampling import Pins
from playground.ui.generate_page.session import PendingAction
from playground.ui.kit.page import Experiment

GREEDY = NEUTRAL.replace(temperature=0.0)


def _experiment(
    label: str,
    shows: str,
    look: str,
    prompt: str,
    settings: SamplerSettings,
    pins: tuple[SamplerSettings, ...] = (),
    seed: int = 0,
    **state: Any,
) -> Experiment:
    """With ``pins`` these are compared, else one text is written."""
    section = "compare" if pins else "write"
    pinned = (Pins(zip("ABCD", pins, strict=False)),) if pins else ()
    return Experiment(
        label,
        shows,
        look,
        {"prompt": prompt, "settings": settings, "seed": seed},
        state,
        section,
        (*pinned, PendingAction(section)),
    )


EXPERIMENTS: dict[str, Experiment] = {
    "json": _experiment(
        "JSON cut off by its stop",
        "A stop string that comes too early leaves a text no parser reads",
        "The stop string “}” ends the text at the first closing brace, that of the inner object, and hides it: what is left "
        "cannot be parsed. Remove the stop string, press Generate, and the outer object is closed too.",
        'A user as JSON with the address inside.\nExample: {"name": "Bo", "address": {"city": "Oslo", "zip": "0150"}, '
        '"age": 41}\nAda from London: {"name": "Ada", "address": {"city":',
        GREEDY,
        max_new_tokens=32,
        stop_strings=("}",),
    ),
    "common": _experiment(
        "Common random numbers, two temperatures",
        "Two settings that meet the same u at each step, and where they part",
        "A is cool (0.5), B is warm (1.2); both meet the same u at each step. The dashed token is where B leaves A: open "
        "its distributions to see the same u fall into another band.",
        "Once upon a time, in a small village by the sea,",
        NEUTRAL,
        max_new_tokens=32,
        pins=(NEUTRAL.replace(temperature=0.5), NEUTRAL.replace(temperature=1.2)),
        seed=3,
    ),
    "loop": _experiment(
        "A loop, measured",
        "Greedy decoding repeats itself; a penalty stops it; the table says how much",
        "A is greedy and soon repeats itself, B has a repetition penalty of 1.3, C samples with top-p 0.9. Compare the "
        "repeated 4-grams in the table.",
        "I like to eat apples. I like to eat",
        GREEDY,
        max_new_tokens=40,
        pins=(GREEDY, GREEDY.replace(repetition_penalty=1.3), NEUTRAL.replace(top_p=0.9)),
    ),
    "fork": _experiment(
        "Where it could have gone",
        "Coloured by entropy: the bright tokens are where the text was decided",
        "Bright tokens are open moments. Press one, then press another bar: the text goes on from there, and the tree below "
        "keeps both ways with their probabilities.",
        "The best way to learn a language is",
        NEUTRAL.replace(temperature=0.8, top_p=0.95),
        max_new_tokens=40,
        scale="entropy",
    ),
}
