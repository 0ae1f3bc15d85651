"""What every engine refuses before it runs. Ids only."""

from __future__ import annotations

from collections.abc import Sequence

from playground.constraint import CONSTRAINT_NAMES, Constraint, constraint_problem
from playground.engine.types import TokenIds
from playground.errors import BadInput, BadPrompt
from playground.models.info import ModelInfo


def check_ids(ids: Sequence[int], info: ModelInfo) -> TokenIds:
    """``ids`` as a tuple of ints. Raises BadPrompt when empty, longer than the context, or not of this vocabulary."""
    token_ids = tuple(int(token) for token in ids)
    if not token_ids:
        raise BadPrompt("The prompt is empty: type some text first.", field="prompt")
    if len(token_ids) > info.context_length:
        raise BadPrompt(
            f"The prompt has {len(token_ids):,} tokens and {info.name} reads at most {info.context_length:,}: shorten it.",
            field="prompt",
        )
    outside = next((token for token in token_ids if not 0 <= token < info.vocab_size), None)
    if outside is not None:
        raise BadPrompt(
            f"Token id {outside} is not one of {info.name}'s {info.vocab_size:,} tokens: use an id below that.",
            field="prompt",
        )
    return token_ids


def check_constraint(constraint: Constraint | None, info: ModelInfo) -> None:
    """Raises BadInput for a kind that the engine does not have, and for one that cannot be used."""
    if constraint is None:
        return
    if constraint.kind not in info.constraints:
        raise BadInput(
            f"Texts that match a {CONSTRAINT_NAMES[constraint.kind]} come from servers that have it; {constraints_of(info)}: "
            "leave it out, or choose another model.",
            "constraint",
        )
    problem = constraint_problem(constraint)
    if problem is not None:
        raise BadInput(problem, "constraint")


def constraints_of(info: ModelInfo) -> str:
    """Who has which constraints, as a clause."""
    names = [CONSTRAINT_NAMES[kind] for kind in CONSTRAINT_NAMES if kind in info.constraints]
    return f"{info.name} has {', '.join(names) if names else 'none (llama.cpp, vLLM and SGLang have some)'}"


def check_start(ids: TokenIds, start: int) -> None:
    """Raises BadPrompt unless something stands before ``start`` and a token of ``ids`` at it."""
    if not 0 < start < len(ids):
        raise BadPrompt(
            f"A text of {len(ids):,} tokens can be followed from position 1 to {len(ids) - 1:,}, not from {start:,}: give "
            "a prompt and at least one token after it.",
            field="prompt",
        )


def check_lens(ids: TokenIds, positions: range, follow: Sequence[int], info: ModelInfo) -> None:
    """Raises BadPrompt unless ``positions`` are consecutive ones of ``ids`` and ``follow`` are tokens of the model."""
    if positions.step != 1 or not positions or positions.start < 0 or positions.stop > len(ids):
        raise BadPrompt(
            f"The lens can look at positions 0 to {len(ids) - 1} of this text, one after the other: choose among them.",
            field="positions",
        )
    outside = next((token for token in follow if not 0 <= token < info.vocab_size), None)
    if outside is not None:
        raise BadPrompt(
            f"Token id {outside} is not one of {info.name}'s {info.vocab_size:,} tokens: use an id below that.",
            field="follow",
        )
