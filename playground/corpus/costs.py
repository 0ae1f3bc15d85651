"""What a premium costs for one text: tokens to wait for, context used up, money. Arithmetic on counts, a speed and a price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.corpus.counting import LanguageCount


@dataclass(frozen=True, slots=True)
class CostRow:
    """One language (its ``code`` and its name) under one tokenizer, for a text of so many tokens in the baseline language.

    ``seconds`` to write it at the measured speed; ``context_share`` of the model's context, 1 is all of it; ``usd`` for a
    thousand such texts written by the API whose price was taken. None where one of them is not known.
    """

    code: str
    language: str
    tokenizer: str
    premium: float
    tokens: float
    seconds: float | None
    context_share: float | None
    usd: float | None


def cost_rows(
    counts: Sequence[LanguageCount],
    tokenizers: Sequence[str],
    base_tokens: int,
    *,
    seconds_per_token: float | None,
    context_length: int | None,
    usd_per_million: float | None,
) -> tuple[CostRow, ...]:
    """A row a language and tokenizer. ``base_tokens``: of the text in the baseline language, under each tokenizer alike."""
    rows = []
    for each in counts:
        for name in tokenizers:
            tokens = base_tokens * each.premium(name)
            rows.append(
                CostRow(
                    each.text.code,
                    each.text.name,
                    name,
                    each.premium(name),
                    tokens,
                    None if seconds_per_token is None else tokens * seconds_per_token,
                    None if not context_length else tokens / context_length,
                    None if usd_per_million is None else tokens * usd_per_million / 1e6 * 1_000,
                )
            )
    return tuple(rows)
