"""The "Try this" buttons of the page Tune: the ready examples under settings of which one thing can be learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from playground.sampling.settings import SamplerSettings
from playground.state.tune import TuneState
from playground.ui.kit import session
from playground.ui.kit.page import Experiment
from playground.ui.tune_page.reach import Looked
from playground.ui.tune_page.session import PRESENT, change_draft, ready_examples

USUAL = SamplerSettings(top_p=0.9)


@dataclass(frozen=True, slots=True)
class Scene:
    """``others``: the settings beside the present one; None leaves those of the reader. ``samples``: texts a prompt."""

    others: Mapping[str, SamplerSettings] | None = None
    samples: int = 2
    looked: Looked = field(default_factory=Looked)


EXPERIMENTS: dict[str, Experiment] = {
    "forbids": Experiment(
        "What top-p forbids",
        "Four good answers under the usual top-p of 0.9",
        "The table says how many of the four references this setting could have written, and at which word it is stopped: of the "
        "bundled model's, none. Struck through is what it forbids. The map has the same for each temperature and top-p: at a "
        "temperature of 2 the same top-p allows all four, and a great deal more.",
        setup={"settings": USUAL},
        state={"x": "top_p", "y": "temperature", "shows": "reached"},
        section="reach",
        puts=(Scene(looked=Looked(PRESENT, 0)),),
    ),
    "chance": Experiment(
        "Better, or chance?",
        "Temperature 1 and 0.9 on four prompts",
        "Run the plan. Under Results the control is the present setting again, with other random numbers: as far as it lies from "
        "the present one, chance alone carries. Hold the difference of both settings against it; where its interval reaches "
        "over 0, four prompts do not tell them apart.",
        setup={"settings": SamplerSettings()},
        section="plan",
        puts=(Scene(others={"a little cooler": SamplerSettings(temperature=0.9)}),),
    ),
}


def begin_experiment(each: Experiment) -> None:
    """Set the scene. The kept tuning in view stays, and so do the reader's examples: a way back stands above their table."""
    session.change(TuneState, **each.state)
    (scene,) = each.puts
    assert isinstance(scene, Scene)
    change_draft(examples=ready_examples(), present_name=PRESENT, samples=scene.samples)
    if scene.others is not None:
        change_draft(others=scene.others, measures=("checks",), require={}, max_new_tokens=64, seed=0, chat=True)
    session.put(scene.looked)
