"""How an example stands with a model before anything is written: its tokens, and whether its reference is a right answer.

Checks of a reference run in bounded child processes, as those of a model's texts do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.engine.api import CancelToken, Engine
from playground.engine.limits import check_ids
from playground.engine.text.prompt import continuation_ids, encode_prompt
from playground.errors import Cancelled, PlaygroundError
from playground.testtime.registry import make_scorer
from playground.testtime.scoring import ScoringContext
from playground.testtime.types import Candidate
from playground.tuning.examples import Example

_NOTHING = np.empty(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What one of its own checks says of a reference. ``passed``: None where it could not be found out; ``note`` why."""

    check: str
    passed: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """``prompt_tokens``: None where the prompt cannot be read, ``problem`` says why. ``checks``: of the reference."""

    prompt_tokens: int | None
    reference_tokens: int = 0
    checks: tuple[CheckOutcome, ...] = ()
    problem: str = ""


def standing_of(
    engine: Engine, example: Example, *, chat: bool, visitor: str = "", cancel: CancelToken | None = None
) -> Standing:
    """Count and check one example. What is wrong with it becomes its ``problem``. Raises Cancelled."""
    cancel = cancel or CancelToken()
    cancel.check()
    problem, prompt_tokens = "", None
    try:
        if example.system and not chat:
            problem = "It has a system prompt, which raw text has none of: switch Chat on or leave it out."
        ids = encode_prompt(engine.codec, example.prompt, chat=chat, system=example.system or None)
        prompt_tokens = len(check_ids(ids, engine.info))
    except Cancelled:
        raise
    except PlaygroundError as error:
        problem = str(error)
    if not example.reference:
        return Standing(prompt_tokens, problem=problem)
    reference = continuation_ids(engine.codec, example.reference)
    n = _NOTHING
    answer = Candidate(0, (), tuple(reference), example.reference, "eos", n, n, n, n, n[:, None], 0)
    context = ScoringContext(
        prompt=example.prompt, reference=example.reference, visitor=visitor, cancel=cancel, answer_pattern=None
    )
    outcomes = []
    for spec in example.checks:
        (score,) = make_scorer(spec)([answer], context)
        outcomes.append(CheckOutcome(spec.label, score.valid, score.note))
    return Standing(prompt_tokens, len(reference), tuple(outcomes), problem)
