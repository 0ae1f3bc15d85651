"""A model as one more judge: it reads two answers in both orders and is asked for a number. Its word is never a vote.

The log-odds of "1" against "2" after the same question with the answers in either order: what changes with the order is the
model's leaning to a number, what stays is its preference. How far it goes along with people is told beside their votes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from playground.engine.api import CancelToken, Engine, NextTokens
from playground.engine.facets import require
from playground.engine.limits import check_ids
from playground.engine.pieces import finish
from playground.errors import BadInput
from playground.preferences.asking import Pair
from playground.preferences.shares import Share, share_of
from playground.testtime.judges import first_tokens, judge_ids, mass_of
from playground.tuning.judging import Judgement, Material, Unit
from playground.tuning.panel import ModelOpinion

TEMPLATE = (
    "Here is a request and two replies.\n\nRequest: {prompt}\n\nReply 1: {one}\n\nReply 2: {two}\n\n"
    "Which reply is better, 1 or 2? Answer with the number only."
)
ONE, TWO = ("1", " 1"), ("2", " 2")
_SEEN = 1e-6  # a probability below this is not told from none


@dataclass(frozen=True, slots=True)
class ModelStanding:
    """What a model's opinions are worth. ``with_people``: of texts on which people decided, where it prefers the same.

    ``steady``: of all opinions, where both orders say the same; ``says_one``: of all readings, those that prefer number 1,
    half where it has no leaning. ``shares``: by pair of arms, the opinions for the first.
    """

    model: str
    opinions: int
    with_people: Share
    steady: Share
    says_one: Share
    shares: dict[Pair, Share]


def units_to_read(
    material: Material, judgements: Iterable[Judgement], opinions: Iterable[ModelOpinion], most: int
) -> list[Unit]:
    """Texts for a model: those that most people judged first, then others in turn; equal ones and those it has read left out."""
    read = {each.unit for each in opinions}
    judged = Counter(each.unit for each in judgements if each.verdict != "same")
    settings = set(material.settings)
    units = [unit for pair, own_units in material.units.items() if settings >= set(pair) for unit in own_units]
    wanted = [unit for unit in units if unit not in read and not material.is_same(unit)]
    return sorted(wanted, key=lambda unit: (-judged[unit], unit.sample, unit.example, unit.pair))[:most]


def read_units(
    engine: Engine, material: Material, units: Sequence[Unit], cancel: CancelToken | None = None
) -> Generator[ModelOpinion | None, None, int]:
    """An opinion a unit as it is read, None for one that does not fit the model's context; at the end how many there were.

    Raises CapabilityMissing where the engine tells no next token, BadInput where its tokens do not tell 1 from 2.
    """
    predictor = require(engine, NextTokens)
    one, two = first_tokens(engine, ONE), first_tokens(engine, TWO)
    one, two = one - two, two - one
    if not one or not two:
        raise BadInput("This model's tokens do not tell 1 from 2, so it cannot judge: choose another model.", "model")
    given = 0
    for unit in units:
        if cancel is not None:
            cancel.check()
        prompt = material.prompts[unit.example][0]
        first, second = material.texts_of(unit)
        try:
            texts = [
                check_ids(judge_ids(engine, fill_pair(prompt, *pair)), engine.info)
                for pair in ((first, second), (second, first))
            ]
        except BadInput:  # too long for the context
            yield None
            continue
        rows = finish(predictor.next_logits_in_pieces(texts, cancel=cancel))
        as_one, as_two = (math.log((mass_of(row, one) + _SEEN) / (mass_of(row, two) + _SEEN)) for row in rows)
        given += 1
        yield ModelOpinion(unit, engine.info.name, as_one, -as_two)
    return given


def fill_pair(prompt: str, one: str, two: str) -> str:
    """The question that the model reads; what looks like a place to fill inside a text stays text."""
    parts = TEMPLATE.split("{")
    texts = {"prompt": prompt, "one": one, "two": two}
    return parts[0] + "".join(texts[name] + rest for name, rest in (part.split("}", 1) for part in parts[1:]))


def model_standing(opinions: Sequence[ModelOpinion], judgements: Iterable[Judgement]) -> ModelStanding:
    """Of one model's opinions, at least one, beside what people said of the same texts (their majority, ties left out)."""
    people: Counter[Unit] = Counter()
    for each in judgements:
        if each.verdict in ("left", "right"):
            people[each.unit] += 1 if (each.verdict == "left") == (each.left == "first") else -1
    prefers = {each.unit: each.as_one + each.as_two for each in opinions}
    both = [unit for unit, lead in people.items() if lead and prefers.get(unit)]
    pairs: dict[Pair, list[float]] = {}
    for unit, lead in prefers.items():
        if lead:
            pairs.setdefault(unit.pair, []).append(lead)
    ones = sum((each.as_one > 0) + (each.as_two < 0) for each in opinions)
    return ModelStanding(
        model=opinions[0].model,
        opinions=len(opinions),
        with_people=share_of(sum((people[unit] > 0) == (prefers[unit] > 0) for unit in both), len(both)),
        steady=share_of(sum(each.as_one * each.as_two > 0 for each in opinions), len(opinions)),
        says_one=share_of(ones, 2 * len(opinions)),
        shares={pair: share_of(sum(lead > 0 for lead in leads), len(leads)) for pair, leads in pairs.items()},
    )
