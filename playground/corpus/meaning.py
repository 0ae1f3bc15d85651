"""What a model knows of languages, from a parallel text: bits a byte, a character and a meaning, with intervals over articles.

Bits per meaning = bits per byte × bytes of the text / bytes of the baseline's same text: the language's script, the
vocabulary and the model's knowledge together, in bits for what one byte of the baseline says. How much of a text the model has
before it, and whether a long article counts for more than a short one, decide the figure: ``PROTOCOLS`` are the ways to read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.corpus.bits import BitsInterval, TextBits, interval_of
from playground.corpus.parallel import Parallel, ParallelText
from playground.errors import BadInput

MOST_LANGUAGES = 12
PASS_BYTES = 900
PROTOCOLS = {
    "totals": "Totals of the articles",
    "mean": "Mean over articles",
    "passes": f"Passes of {PASS_BYTES} bytes",
}
ABOUT = {
    "totals": "Each article is read by itself; the bits of all are added and divided by the bytes of all, so that a long article "
    "counts for more than a short one.",
    "mean": "Each article is read by itself and has its own ratio; their mean is shown, in which a short article, which the "
    "model has hardly got used to, counts as much as a long one.",
    "passes": f"The articles are joined and read in passes of {PASS_BYTES} bytes, whatever article that cuts: every pass gives "
    "the model as much to get used to. Over all 30 articles this comes nearest to the 0.744 (English) and 1.573 (Burmese) bits a "
    "byte that were published for the bundled model.",
}


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


def in_passes(texts: Mapping[str, Sequence[str]], protocol: str) -> dict[str, list[str]]:
    """What the model is given of each language: the texts one by one, or all of them joined and cut into passes.

    >>> in_passes({"eng": ["a" * 899, "é"]}, "passes")["eng"] == ["a" * 899 + "\\n", "é"]
    True
    """
    if protocol != "passes":
        return {code: list(own) for code, own in texts.items()}
    return {code: _cut("\n".join(own)) for code, own in texts.items()}


def _cut(text: str) -> list[str]:
    parts, start, size = [], 0, 0
    for place, letter in enumerate(text):
        more = len(letter.encode())
        if size + more > PASS_BYTES:
            parts.append(text[start:place])
            start, size = place, 0
        size += more
    return [*parts, text[start:]]


def knowledge(
    parallel: Parallel, texts: Mapping[str, Sequence[str]], bits: Sequence[TextBits], protocol: str = "totals"
) -> tuple[Knowledge, ...]:
    """``bits`` of all that ``in_passes`` gives, in its order; the baseline is the first language."""
    base = next(iter(texts.values()))
    texts = in_passes(texts, protocol)
    place, measured = 0, []
    base_tokens = 1
    for number, (code, own) in enumerate(texts.items()):
        read = bits[place : place + len(own)]
        place += len(own)
        totals = [each.per_byte * len(text.encode()) for each, text in zip(read, own, strict=True)]
        tokens = sum(len(each.ids) for each in read)
        if number == 0:
            base_tokens = tokens
        sizes, letters = [float(each.bytes) for each in read], [float(len(text)) for text in own]
        meant = [float(len(text.encode())) for text in base]
        if protocol == "passes":  # another language has more of them: each says as much as its share of the bytes
            whole = sum(len(text.encode()) for text in own)
            meant = [sum(meant) * len(text.encode()) / whole for text in own]
        average = _mean if protocol == "mean" else interval_of
        measured.append(
            Knowledge(
                parallel.languages[code],
                average([each.total for each in read], sizes),
                average(totals, letters),
                average(totals, meant),
                tokens,
                tokens / base_tokens,
            )
        )
    return tuple(measured)


def _mean(above: Sequence[float], below: Sequence[float]) -> BitsInterval:
    ratios = [one / max(other, 1e-12) for one, other in zip(above, below, strict=True)]
    return interval_of(ratios, [1.0] * len(ratios))
