"""What a model knows of languages, from a parallel text: bits a byte, a character and a meaning, with intervals over articles.

Bits per meaning = bits per byte × bytes of the text / bytes of the baseline's same text: the language's script, the
vocabulary and the model's knowledge together, in bits for what one byte of the baseline says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.corpus.bits import BitsInterval, TextBits, interval_of, over_texts
from playground.corpus.parallel import Parallel, ParallelText
from playground.errors import BadInput

MOST_LANGUAGES = 12


@dataclass(frozen=True, slots=True)
class Knowledge:
    """One language under one model."""

    text: ParallelText
    per_byte: BitsInterval
    per_character: BitsInterval
    per_meaning: BitsInterval
    tokens: int
    premium: float


def chosen_texts(parallel: Parallel, codes: Sequence[str], most: int) -> dict[str, list[str]]:
    """By language the first ``most`` texts that all of them have, the baseline first. Raises BadInput."""
    wanted = list(dict.fromkeys([parallel.baseline, *codes]))
    if len(wanted) > MOST_LANGUAGES:
        raise BadInput(
            f"At most {MOST_LANGUAGES} languages are read at once, not {len(wanted)}: choose fewer.", "languages"
        )
    missing = next((code for code in wanted if code not in parallel.languages), None)
    if missing is not None:
        raise BadInput(f"The text has no language {missing[:40]!r}.", "languages")
    first = parallel.languages[parallel.baseline].texts
    keys = [key for key in first if all(key in parallel.languages[code].texts for code in wanted)][:most]
    if not keys:
        raise BadInput("The chosen languages have no text in common: choose others.", "languages")
    return {code: [parallel.languages[code].texts[key] for key in keys] for code in wanted}


def knowledge(
    parallel: Parallel, texts: Mapping[str, Sequence[str]], bits: Sequence[TextBits]
) -> tuple[Knowledge, ...]:
    """``bits`` of all texts in the order of ``texts``; the baseline is the first language."""
    place, found = 0, []
    base_bytes: list[int] = []
    base_tokens = 1
    for number, (code, own) in enumerate(texts.items()):
        read = bits[place : place + len(own)]
        place += len(own)
        totals = [each.per_byte * len(text.encode()) for each, text in zip(read, own, strict=True)]
        tokens = sum(len(each.ids) for each in read)
        if number == 0:
            base_bytes, base_tokens = [len(text.encode()) for text in own], tokens
        found.append(
            Knowledge(
                parallel.languages[code],
                over_texts(read),
                interval_of(totals, [float(len(text)) for text in own]),
                interval_of(totals, [float(size) for size in base_bytes]),
                tokens,
                tokens / base_tokens,
            )
        )
    return tuple(found)
