"""What every engine refuses before it runs. Ids only."""

from __future__ import annotations

from collections.abc import Sequence

from playground.engine.types import Constraint, TokenIds
from playground.errors import BadInput, BadPrompt
from playground.json_reading import read_json
from playground.models.info import ModelInfo


def check_ids(ids: Sequence[int], info: ModelInfo) -> TokenIds:
    """``ids`` as a tuple of ints. Raises BadPrompt when empty, longer than the context, or not of this vocabulary."""
    known = tuple(int(token) for token in ids)
    if not known:
        raise BadPrompt("The prompt is empty: type some text first.", field="prompt")
    if len(known) > info.context_length:
        raise BadPrompt(
            f"The prompt has {len(known):,} tokens and {info.name} reads at most {info.context_length:,}: shorten it.",
            field="prompt",
        )
    outside = next((token for token in known if not 0 <= token < info.vocab_size), None)
    if outside is not None:
        raise BadPrompt(
            f"Token id {outside} is not one of {info.name}'s {info.vocab_size:,} tokens: use an id below that.",
            field="prompt",
        )
    return known


def check_constraint(constraint: Constraint | None, info: ModelInfo) -> None:
    """Raises BadInput for a kind that the engine does not have, and for one that says nothing."""
    if constraint is None:
        return
    if constraint.kind not in info.constraints:
        has = ", ".join(info.constraints) or "no constraints"
        raise BadInput(
            f"Texts that match a {constraint.kind} come from servers that have it (llama.cpp, vLLM, SGLang); {info.name} has "
            f"{has}: leave it out, or choose another model.",
            "constraint",
        )
    if constraint.kind == "json_schema":
        try:
            schema = read_json(constraint.text)
        except ValueError as error:
            raise BadInput(f"The JSON schema is no JSON ({error}): mend it.", "constraint") from None
        if not isinstance(schema, dict):
            raise BadInput("A JSON schema is an object in braces: write it as one.", "constraint")
    elif not constraint.text.strip():
        raise BadInput(f"The {constraint.kind} is empty: write one, or leave it out.", "constraint")


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
