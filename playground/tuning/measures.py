"""What a text is measured by: one number each, with what it means and what it does not see.

Asks no language model; the embedding similarity runs a sentence encoder, where one is installed.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from typing import Any, Literal

from playground.errors import BadInput
from playground.generation.diversity import distinct_n, repeated_share
from playground.testtime.answers import PATTERNS, extract_answers
from playground.testtime.registry import SCORERS, make_scorer, parse_spec
from playground.testtime.scoring import ScoringContext
from playground.testtime.types import Candidate, ScorerSpec
from playground.tuning.examples import Example

Score = Callable[[Candidate, Example], float | None]
Unit = Literal["share", "tokens", "nats", "s", "USD"]

_REFUSAL = re.compile(
    r"\b(I('m| am) (sorry|unable|not able)|I (cannot|can't|can not|won't|will not)|as an AI|I apologi[sz]e)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Measure:
    """``better``: 1 where more is better, -1 where less is, 0 where neither. ``score``: None where it says nothing.

    ``together``: what is said of an example's samples as a whole, where that is not the mean of their scores or is sooner
    known at once. ``more``, ``less``: how a difference is said, {} its size; without them by the measure's name.
    """

    name: str
    better: int
    definition: str
    blind_spot: str
    score: Score
    unit: Unit = "share"
    together: Callable[[Sequence[Candidate], Example], float | None] | None = None
    more: str = ""
    less: str = ""


def _checks(candidate: Candidate, example: Example) -> float | None:
    verdicts = [value for spec in example.checks if (value := _verdict(spec, candidate, example)) is not None]
    return sum(verdicts) / len(verdicts) if verdicts else None


def _verdict(spec: ScorerSpec, candidate: Candidate, example: Example) -> float | None:
    context = ScoringContext(prompt=example.prompt, reference=example.reference or None)
    (score,) = make_scorer(spec)([candidate], context)
    return None if score.valid is None else float(score.valid)


def _logprob(candidate: Candidate, example: Example) -> float | None:
    return candidate.avg_logprob if math.isfinite(candidate.avg_logprob) else None


def _chrf(candidate: Candidate, example: Example) -> float | None:
    if not example.reference:
        return None
    return float(_chrf_metric().sentence_score(candidate.text, [example.reference]).score) / 100


@cache
def _chrf_metric() -> Any:  # noqa: ANN401 - sacrebleu has no types
    from sacrebleu.metrics import CHRF

    return CHRF()


def _exact(candidate: Candidate, example: Example) -> float | None:
    return float(_folded(candidate.text) == _folded(example.reference)) if example.reference else None


def _folded(text: str) -> str:
    """NFKC, case folded, white space to one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def rouge_l(text: str, other: str) -> float:
    """ROUGE-L's F-score: 2 LCS / (m + n), LCS the longest common subsequence of words (Lin 2004). 0 without words.

    Words are runs of letters and digits in any script, case folded; there is no stemming.
    """
    from rapidfuzz.distance import Indel

    ours, theirs = (re.findall(r"\w+", line.casefold()) for line in (text, other))
    return float(Indel.normalized_similarity(ours, theirs)) if ours and theirs else 0.0


def _similarity(samples: Sequence[Candidate], example: Example) -> float | None:
    if not example.reference or not samples:
        return None
    context = ScoringContext(prompt=example.prompt, reference=example.reference)
    scores = make_scorer(ScorerSpec("similarity"))(samples, context)
    return _mean([score.value for score in scores])


def _most_frequent(pattern: str) -> Callable[[Sequence[Candidate], Example], float | None]:
    def share(samples: Sequence[Candidate], _example: Example) -> float | None:
        if len(samples) < 2:
            return None
        answers = extract_answers([one.text for one in samples], pattern)
        counts = Counter(answer.key for answer in answers if answer.key is not None)
        return max(counts.values(), default=0) / len(samples)

    return share


def _pairwise(samples: Sequence[Candidate], _example: Example) -> float | None:
    return _mean([rouge_l(one.text, other.text) for one, other in combinations(samples, 2)])


def _latency(candidate: Candidate, _example: Example) -> float | None:
    return candidate.elapsed_ms / 1000 if candidate.elapsed_ms else None


def _mean(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None


def _said_together(_candidate: Candidate, _example: Example) -> None:
    """Of one text alone nothing is said."""


MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "checks",
            1,
            "The share of the example's checks that the text passes.",
            "Whatever no check asks for.",
            _checks,
            more="passes {} more of its checks",
            less="passes {} fewer of its checks",
        ),
        Measure(
            "exact",
            1,
            "Texts equal to the example's reference, but for case, white space and compatible forms of characters (NFKC).",
            "A right answer with one word more.",
            _exact,
            more="equals the reference {} more often",
            less="equals the reference {} less often",
        ),
        Measure(
            "rouge-l",
            1,
            "ROUGE-L's F-score with the example's reference, 0 to 1: the longest common subsequence of words (Lin 2004).",
            "A right answer in other words, and a wrong one in the same.",
            lambda candidate, example: rouge_l(candidate.text, example.reference) if example.reference else None,
        ),
        Measure(
            "chrf",
            1,
            "chrF2 with the example's reference, 0 to 1: the F-score of shared character 6-grams and shorter (Popovic 2015).",
            "A right answer in other words.",
            _chrf,
        ),
        Measure(
            "similarity",
            1,
            "The cosine of the text's sentence embedding (all-MiniLM-L6-v2) and the reference's, -1 to 1.",
            "Yes and no of one sentence are near each other; what is behind the 256th token is not read.",
            lambda candidate, example: _similarity([candidate], example),
            together=_similarity,
        ),
        Measure(
            "consistency",
            1,
            "The share of a prompt's samples that give its most frequent answer (Wang et al. 2022); consistency:number, "
            "consistency:json and others take the answer out of the text.",
            "A setting that is always wrong in the same way; n samples that all differ have 1/n, and one alone says nothing.",
            _said_together,
            together=_most_frequent("whole"),
            more="gives the same answer {} more often",
            less="gives the same answer {} less often",
        ),
        Measure(
            "sameness",
            0,
            "The mean ROUGE-L between every two samples of a prompt, 0 to 1: low where they differ.",
            "The same thing in other words counts as different; fewer than two samples say nothing.",
            _said_together,
            together=_pairwise,
        ),
        Measure(
            "repetition",
            -1,
            "The share of 4-grams of tokens that the same text had before.",
            "Repetition in other words; texts of fewer than four tokens say nothing.",
            lambda candidate, _example: repeated_share(candidate.keys),
            more="repeats {} more",
            less="repeats {} less",
        ),
        Measure(
            "distinct-2",
            1,
            "Different pairs of tokens over all pairs of the text (Li et al. 2016).",
            "It falls with length, and nonsense is distinct.",
            lambda candidate, _example: distinct_n(candidate.keys, 2),
        ),
        Measure(
            "tokens",
            0,
            "How many tokens the text has, the ending one included.",
            "Texts that were cut at the limit count as that long.",
            lambda candidate, _example: float(candidate.n_tokens),
            "tokens",
            more="writes {} more",
            less="writes {} fewer",
        ),
        Measure(
            "refusals",
            -1,
            "Texts with an English phrase of refusal, such as “I cannot”.",
            "Refusals in other words, and other uses of these.",
            lambda candidate, _example: float(bool(_REFUSAL.search(candidate.text))),
            more="refuses {} more often",
            less="refuses {} less often",
        ),
        Measure(
            "logprob",
            0,
            "The mean raw log-probability of a token, in nats.",
            "A dull text is likely; what an engine does not tell says nothing.",
            _logprob,
            "nats",
        ),
        Measure(
            "latency",
            -1,
            "Seconds from the prompt's reading to the text's end, among the texts written beside it.",
            "Another machine, another load; a longer text takes longer.",
            _latency,
            "s",
            more="takes {} longer",
            less="takes {} less time",
        ),
    )
}


def find_measure(text: str) -> Measure:
    """A measure of ``MEASURES``, ``consistency:PATTERN``, ``cost:IN/OUT`` in USD a million tokens, or a verifier such as
    ``json`` or ``mentions`` with its argument. Raises BadInput.
    """
    if text in MEASURES:
        return MEASURES[text]
    name, _, argument = text.partition(":")
    if name in _MADE:
        return _MADE[name](argument)
    verifiers = [kind.name for kind in SCORERS.values() if kind.gives_verdict and not kind.needs_engine]
    if name not in verifiers:
        choices = ", ".join([*MEASURES, "cost:IN/OUT", *verifiers])
        raise BadInput(f"there is no measure {text[:40]!r}; choose among {choices}", "measures")
    spec = parse_spec(text)
    kind = SCORERS[spec.name]

    def score(candidate: Candidate, example: Example) -> float | None:
        return None if kind.needs_reference and not example.reference else _verdict(spec, candidate, example)

    return Measure(spec.label, 1, kind.purpose, kind.fails, score)


def _consistency(argument: str) -> Measure:
    if argument not in PATTERNS:
        raise BadInput(f"consistency takes one of {', '.join(PATTERNS)}, not {argument[:40]!r}", "measures")
    return replace(MEASURES["consistency"], name=f"consistency:{argument}", together=_most_frequent(argument))


def _cost(argument: str) -> Measure:
    try:
        price_in, price_out = (float(part) for part in argument.split("/"))
    except ValueError:
        price_in = price_out = math.nan
    if not (0 <= price_in < math.inf and 0 <= price_out < math.inf):
        raise BadInput(
            "cost takes the prices in USD of a million tokens read and written, such as cost:0.15/0.6", "measures"
        )
    return Measure(
        f"cost:{argument}",
        -1,
        f"USD a text at {price_in:g} a million tokens read and {price_out:g} written.",
        "What is read from a cache is often cheaper; another vendor's tokenizer counts otherwise.",
        lambda candidate, _: (len(candidate.prompt_ids) * price_in + candidate.n_tokens * price_out) / 1e6,
        "USD",
        more="costs {} more a text",
        less="costs {} less a text",
    )


_MADE: Mapping[str, Callable[[str], Measure]] = {"consistency": _consistency, "cost": _cost}


def mean_score(measure: Measure, samples: Sequence[Candidate], example: Example) -> float:
    """What the measure says of one example's samples, their mean where it is of each; NaN where it says nothing."""
    if measure.together is not None:
        value = measure.together(samples, example)
    else:
        value = _mean([measure.score(sample, example) for sample in samples])
    return math.nan if value is None else value
