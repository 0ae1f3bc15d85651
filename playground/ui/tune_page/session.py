"""What the page Tune is about to decide: the draft of a plan, kept for the session until it is run.

The draft is one frozen value, replaced as a whole or field by field. The present setting is not in it: it is what the
samplers of all pages say. ``draft_plan`` makes the checked ``Plan`` of it, ``adopt_plan`` the draft of a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from playground.errors import BadInput
from playground.sampling.settings import SamplerSettings
from playground.state.tune import TuneState
from playground.tuning.examples import Example, built_in
from playground.tuning.plan import Plan, example_values, read_plan
from playground.ui.kit import session
from playground.ui.workspace import setup as workspace

PRESENT = "present"
READY = {"support": "Support answers", "extraction": "Extraction to JSON", "product copy": "Product copy"}


def ready_examples(purpose: str = "support") -> tuple[Example, ...]:
    """The examples that ship for a purpose of ``READY``."""
    return tuple(example for example in built_in() if purpose in example.tags)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is not run yet. The page opens with the ready examples for a support answer.

    ``others``: the settings beside the present one, by name, in order. ``present_name``: what the present one is called.
    ``measures``: as ``find_measure`` reads them, decided by the first. ``require``: by measure, what the mean must reach.
    ``purpose``: one line of the reader's on what the answers are for.
    """

    examples: tuple[Example, ...] = field(default_factory=ready_examples)
    present_name: str = PRESENT
    others: Mapping[str, SamplerSettings] = field(default_factory=dict)
    samples: int = 2
    max_new_tokens: int = 64
    seed: int = 0
    measures: tuple[str, ...] = ("checks",)
    require: Mapping[str, float] = field(default_factory=dict)
    chat: bool = True
    purpose: str = ""


def draft() -> Draft:
    """This session's draft."""
    return session.get(Draft)


def change_draft(**fields: Any) -> None:
    """Replace some fields of the draft."""
    session.change(Draft, **fields)


def draft_settings() -> dict[str, SamplerSettings]:
    """The draft's settings by name: the present one, as the samplers of all pages stand, then the others."""
    return {draft().present_name: workspace.setup().settings, **draft().others}


def draft_values() -> dict[str, Any]:
    """The draft as a plan's file says it, not checked."""
    plan_draft = draft()
    return {
        "examples": [example_values(example) for example in plan_draft.examples],
        "settings": {name: settings.to_mapping() for name, settings in draft_settings().items()},
        "samples": plan_draft.samples,
        "max_new_tokens": plan_draft.max_new_tokens,
        "seed": plan_draft.seed,
        "measures": list(plan_draft.measures),
        "require": dict(plan_draft.require),
        "chat": plan_draft.chat,
    }


def draft_plan() -> Plan:
    """The draft as a plan. Raises BadInput with a sentence that says what is missing or too much."""
    if not draft().examples:
        raise BadInput("There is no example yet: write one under Examples.", "examples")
    return read_plan(draft_values(), _no_file)


def adopt_plan(plan: Plan) -> None:
    """Make the draft of a plan that was uploaded or kept; its present setting becomes the samplers of all pages."""
    (present, settings), *others = plan.settings.items()
    workspace.change(settings=settings)
    change_draft(
        examples=plan.examples,
        present_name=present,
        others=dict(others),
        samples=plan.samples,
        max_new_tokens=plan.max_new_tokens,
        seed=plan.seed,
        measures=tuple(measure.name for measure in plan.measures),
        require=dict(plan.require),
        chat=plan.chat,
    )


def opened_tuning() -> str:
    """The id of the kept tuning in view, "" for none; the page's link carries it."""
    return session.get(TuneState).tuning


def open_tuning(tuning: str) -> None:
    """Show a kept tuning under Results, Judge and Decision; "" for none."""
    session.change(TuneState, tuning=tuning)


def _no_file(name: str) -> NoReturn:
    raise BadInput("The plan's examples are in a file of their own; upload that under Examples.", "examples")
