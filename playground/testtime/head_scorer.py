"""The scorer of a reward head: what was learnt from votes, on the loaded model's own hidden states."""

from __future__ import annotations

from collections.abc import Sequence

from playground.engine.api import Engine, Hidden
from playground.engine.facets import require
from playground.engine.pieces import finish
from playground.engine.types import TokenIds
from playground.errors import BadInput
from playground.preferences.heads import HEAD_ID, RewardHead, find_head
from playground.testtime.answer_states import answer_ids, read_states
from playground.testtime.scoring import ScoreFunction, Scores, ScoringContext, refuse
from playground.testtime.types import Candidate, Score


def make_reward_head(argument: str | None) -> ScoreFunction:
    """The kept head of that id; its votes need not be there any more."""
    if not argument or not HEAD_ID.fullmatch(argument):
        raise refuse("reward-head", "needs the id of a kept reward head: fit one on the page Preferences.")

    def run(candidates: Sequence[Candidate], context: ScoringContext) -> Scores:
        engine = context.engine
        assert engine is not None  # checked by ``running.score_all``
        head = find_head(argument)
        check_head(head, engine)
        read: dict[str, TokenIds | str] = {}
        for text in dict.fromkeys(candidate.text for candidate in candidates):
            try:
                read[text] = answer_ids(engine, context.prompt, text)
            except BadInput as error:  # too long for the context
                read[text] = str(error)
        wanted = [ids for ids in read.values() if not isinstance(ids, str)]
        states = dict(zip(wanted, finish(read_states(engine, wanted, context.cancel)), strict=True)) if wanted else {}
        for candidate in candidates:
            ids = read[candidate.text]
            if isinstance(ids, str):
                yield Score(None, None, ids)
            else:
                yield Score(float(states[ids] @ head.weights), None, f"{head.name}, from {head.votes:,} votes")

    return run


def check_head(head: RewardHead, engine: Engine) -> None:
    """Raises BadInput for a head of another model's states, CapabilityMissing where the model shows none."""
    info = require(engine, Hidden).info
    if head.model != info.id or len(head.weights) != info.hidden_size:
        raise BadInput(
            f"This reward head reads the hidden states of {head.model}, not of {info.id}: choose that model, or fit a head of "
            "this one on the page Preferences.",
            "scorer",
        )
