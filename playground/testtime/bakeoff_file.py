"""A bake-off as JSON, so that it can be kept and gone on with after the program has ended.

Read through a strict schema: a file from elsewhere is one sentence or a state that ``run_bakeoff`` can go on from.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from playground.errors import BadInput, PlaygroundError
from playground.sampling.settings import SamplerSettings
from playground.testtime.bakeoff import BakeoffPlan, BakeoffState, ProblemOutcome, Status
from playground.testtime.problems import Problem
from playground.testtime.rules import Rule

FORMAT = "playground-bakeoff-1"
MOST_BYTES = 100_000_000


class _Plan(BaseModel):
    model_config = ConfigDict(extra="forbid")

    problems: tuple[Problem, ...]
    n: int
    max_new_tokens: int
    settings: dict[str, Any]
    seed: int
    chat: bool
    system: str
    rules: tuple[Rule, ...]
    token_budget: int | None
    seconds_budget: float | None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: str
    plan: _Plan
    outcomes: tuple[ProblemOutcome, ...]
    skipped: tuple[tuple[str, str], ...]
    status: Status
    untold: tuple[tuple[str, str], ...] = ()  # files of earlier versions have none


@cache
def _states() -> TypeAdapter[_File]:
    return TypeAdapter(_File)


def state_to_json(state: BakeoffState) -> str:
    """The whole state in one line."""
    plan = state.plan
    fields = {name: getattr(plan, name) for name in BakeoffPlan.__dataclass_fields__ if name != "settings"}
    file = _File(
        format=FORMAT,
        plan=_Plan(**fields, settings=json.loads(json.dumps(plan.settings.to_mapping()))),
        outcomes=state.outcomes,
        skipped=state.skipped,
        status=state.status,
        untold=state.untold,
    )
    return _states().dump_json(file).decode()


def state_from_json(text: str | bytes) -> BakeoffState:
    """The state again. Raises BadInput with one sentence for anything ``state_to_json`` did not write."""
    if len(text) > MOST_BYTES:
        raise BadInput(f"The bake-off has more than {MOST_BYTES // 10**6} MB; choose one kept by this page.", "file")
    try:
        file = _states().validate_json(text)
        if file.format != FORMAT:
            raise BadInput("it is of another version", "file")
        fields = {name: getattr(file.plan, name) for name in _Plan.model_fields}
        plan = BakeoffPlan(**fields | {"settings": SamplerSettings.from_mapping(file.plan.settings)})
        state = BakeoffState(plan, file.outcomes, file.skipped, file.status, file.untold)
        _check(state)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise BadInput(
            f"The bake-off cannot be read ({place[:80]}: {first['msg'][:120]}): run it anew.", "file"
        ) from None
    except PlaygroundError as error:
        raise BadInput(f"The bake-off cannot be read ({str(error).rstrip('.')[:200]}): run it anew.", "file") from None
    return state


def _check(state: BakeoffState) -> None:
    """Raise where the outcomes do not belong to the plan."""
    names = [rule.name for rule in state.rules]
    untold = dict(state.untold)
    left_out = {problem for problem, _reason in state.skipped}
    asked = [problem.id for problem in state.plan.problems[: state.done] if problem.id not in left_out]
    if [outcome.problem for outcome in state.outcomes] != asked:
        raise BadInput("its results are not those of its problems", "file")
    for outcome in state.outcomes:
        wins = [choice.winner for choice in outcome.choices if choice.winner is not None]
        if (
            [choice.rule for choice in outcome.choices if choice.rule not in untold] != names
            or len(outcome.correct) != state.plan.n
            or len(outcome.answers) != state.plan.n
            or not all(0 <= winner < state.plan.n for winner in wins)
        ):
            raise BadInput(f"the results of {outcome.problem[:40]} do not fit", "file")
