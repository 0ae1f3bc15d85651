"""The next token of one text by two models: both rows on one set of outcomes, how far apart, and what differs most.

The page and ``python -m playground next --compare-model`` both stand on this module. Knows engines by their rows only.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.engine.api import TextCodec
from playground.engine.text.prompt import continuation_ids
from playground.engine.types import NextLogits, NextRow, TokenIds
from playground.errors import BadPrompt, BadSetting
from playground.inspection.alignment import Outcomes, align
from playground.inspection.distances import Distances, OutcomeRow, distances, movers, outcome_row
from playground.inspection.next_token import CONTEXT_TAIL
from playground.models.info import ModelInfo
from playground.sampling.settings import SamplerSettings

MOVERS = 5


@dataclass(frozen=True, slots=True, eq=False)
class ModelRow:
    """What one model says after a text."""

    info: ModelInfo
    codec: TextCodec
    row: NextRow

    @property
    def read_tokens(self) -> int | None:
        """Positions it was run on for this row; None where the engine does not tell."""
        return self.row.computed_tokens if isinstance(self.row, NextLogits) else None

    @property
    def tokens_per_s(self) -> float | None:
        """Reading speed of this row; None where it was known before or the engine does not tell."""
        if not self.read_tokens or self.row.elapsed_ms <= 0:
            return None
        return 1000 * self.read_tokens / self.row.elapsed_ms


@dataclass(frozen=True, slots=True)
class MovedToken:
    """A token by its text, as likely as ``p`` in the first model and as ``q`` in the other."""

    text: str
    p: float
    q: float


@dataclass(frozen=True, slots=True, eq=False)
class ModelComparison:
    """From the first model's row p to the other's q, before any sampler. ``moved``: the largest differences first."""

    outcomes: Outcomes
    p: OutcomeRow
    q: OutcomeRow
    distances: Distances
    moved: tuple[MovedToken, ...]

    @property
    def same_vocabulary(self) -> bool:
        return self.outcomes.same


def compare_rows(first: ModelRow, other: ModelRow, count: int = MOVERS) -> ModelComparison:
    """Both rows and what lies between them."""
    outcomes = align([(one.codec, one.row.vocab_size) for one in (first, other)])
    p, q = outcome_row(first.row, outcomes, 0), outcome_row(other.row, outcomes, 1)
    moved = tuple(
        MovedToken(outcome_text(outcomes, mover.outcome, (first, other)), mover.p, mover.q)
        for mover in movers(p, q, count)
    )
    return ModelComparison(outcomes, p, q, distances(p, q, outcomes), moved)


def outcome_text(outcomes: Outcomes, outcome: int, rows: tuple[ModelRow, ...]) -> str:
    """How an outcome is spelt: by the first model that has a token for it, after the text it has read."""
    model, token = outcomes.name(outcome)
    return rows[model].codec.piece(token, rows[model].row.ids[-CONTEXT_TAIL:])


def carry_over(taken: TokenIds, codec: TextCodec, size: int, other: TextCodec, other_size: int) -> TokenIds:
    """The ids by which another model reads tokens accepted in the first one: the same where the vocabulary is one, else
    those of their text. Raises BadPrompt where they are no text: special tokens, or half a character at the end.
    """
    if not taken or align([(codec, size), (other, other_size)]).same:
        return taken
    data = b"".join(codec.token_bytes(token) for token in taken)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if not text or any(codec.is_special(token) for token in taken):
        raise BadPrompt(
            "The accepted tokens are no text that a model with another vocabulary could read (a special token, or half a "
            "character): step back to compare.",
            "prompt",
        )
    return continuation_ids(other, text)


def require_portable(settings: SamplerSettings, same_vocabulary: bool) -> None:
    """Raise BadSetting for settings that name tokens by ids of which another vocabulary means others."""
    if settings.logit_bias and not same_vocabulary:
        raise BadSetting(
            "A logit bias names tokens of the model in use, and this model has another vocabulary: reset it to compare.",
            "logit_bias",
        )
