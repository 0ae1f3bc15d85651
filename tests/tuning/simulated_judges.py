"""Texts that say whose they are, and judges who press."""

from __future__ import annotations

from collections.abc import Collection

from playground.tuning.judging import Judgement, Material, Question, Verdict
from playground.tuning.plan import CONTROL


def material(settings: tuple[str, ...], *, examples: int, samples: int = 1, equal: Collection[int] = ()) -> Material:
    """Texts "arm example.sample"; to the examples in ``equal`` all arms write the same."""
    arms = (*settings, CONTROL)
    texts = {
        arm: tuple(
            tuple(f"{'equal' if example in equal else arm} {example}.{sample}" for sample in range(samples))
            for example in range(examples)
        )
        for arm in arms
    }
    return Material(arms, tuple((f"prompt {example}", "") for example in range(examples)), texts)


def press(question: Question, judge: str, verdict: Verdict) -> Judgement:
    return Judgement(question.unit, judge, question.left, verdict, 0.0)
