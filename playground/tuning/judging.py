"""Judging blind: which two texts a judge sees next, on which sides, and what the judgements are as votes on settings.

A judge compares texts of two settings to one prompt and sample, so with the same random numbers. Which settings to compare is
``preferences.asking``'s business; here it becomes texts, in an order and on sides that are each judge's own. Now and then
the present setting is compared with its own second run, the control: who prefers one of these, prefers chance. Equal texts
are ties that nobody is asked about. Knows no page and no store.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal, Protocol

import numpy as np

from playground.errors import BadInput
from playground.preferences.asking import Outlook, Pair, look_ahead
from playground.preferences.votes import Outcome, Vote
from playground.tuning.plan import CONTROL

Side = Literal["first", "second"]
Verdict = Literal["left", "right", "tie", "both_bad", "same"]  # "same": equal texts, a tie that nobody was asked about
PRESSED: tuple[Verdict, ...] = ("left", "right", "tie", "both_bad")
CONTROL_EVERY = 10  # of so many questions one compares the present setting with itself
SHARED_EVERY = 3  # and of so many one has been judged by another: without, nobody could say whether judges agree


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """Two texts: ``first``'s and ``second``'s, two arms in the plan's order, to one example's one sample (both from 0)."""

    example: int
    sample: int
    first: str
    second: str

    @property
    def pair(self) -> Pair:
        return self.first, self.second


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one judge said. ``left``: which of the unit's arms stood left; ``at``: seconds since 1970."""

    unit: Unit
    judge: str
    left: Side
    verdict: Verdict
    at: float


@dataclass(frozen=True, slots=True)
class Question:
    """What a judge is shown. ``left``: which of the unit's arms stands left, for whoever stores the answer."""

    unit: Unit
    left: Side
    prompt: str
    system: str
    left_text: str
    right_text: str


@dataclass(frozen=True, eq=False)
class Material:
    """What can be judged. ``arms``: the present setting first, the control last. ``prompts``: (prompt, system) of each example.

    ``texts``: by arm, of each example its samples; None where a text is not written yet.
    """

    arms: tuple[str, ...]
    prompts: tuple[tuple[str, str], ...]
    texts: Mapping[str, Sequence[Sequence[str | None]]]

    @property
    def settings(self) -> tuple[str, ...]:
        """The arms that are to be told apart."""
        return tuple(arm for arm in self.arms if arm != CONTROL)

    @property
    def whole(self) -> bool:
        """Whether every text of the plan is written."""
        return all(text is not None for arm in self.arms for samples in self.texts[arm] for text in samples)

    @cached_property
    def units(self) -> Mapping[Pair, tuple[Unit, ...]]:
        """By pair of arms all that both have written a text for."""
        return {pair: tuple(self._units(*pair)) for pair in combinations(self.arms, 2)}

    @cached_property
    def same(self) -> frozenset[Pair]:
        """Pairs of arms that have written nothing that differs: level, whatever a judge might say."""
        return frozenset(pair for pair, units in self.units.items() if units and all(map(self.is_same, units)))

    def is_same(self, unit: Unit) -> bool:
        """Whether a reader sees no difference."""
        first, second = self.texts_of(unit)
        return first.strip() == second.strip()

    def texts_of(self, unit: Unit) -> tuple[str, str]:
        """The first's and the second's. Raises BadInput where there are none such."""
        try:
            texts = [self.texts[arm][unit.example][unit.sample] for arm in unit.pair]
        except (KeyError, IndexError):
            texts = [None]
        if None in texts or min(unit.example, unit.sample) < 0:
            raise BadInput("These two texts are not among those to be judged; take the pair that is shown.", "vote")
        return str(texts[0]), str(texts[1])

    def question(self, unit: Unit, left: Side) -> Question:
        """The unit as a judge sees it."""
        first, second = self.texts_of(unit)
        texts = (first, second) if left == "first" else (second, first)
        return Question(unit, left, *self.prompts[unit.example], *texts)

    def _units(self, first: str, second: str) -> Iterable[Unit]:
        own, others = self.texts[first], self.texts[second]
        for example in range(len(self.prompts)):
            for sample, (text, other) in enumerate(zip(own[example], others[example], strict=False)):
                if text is not None and other is not None:
                    yield Unit(example, sample, first, second)


# -- what to ask -------------------------------------------------------------------------------------------------------


def votes_to_fit(judgements: Iterable[Judgement]) -> list[Vote]:
    """Judgements as votes on arms, in the order given; the subject is the example and the sample."""
    return [_vote(each) for each in judgements]


def _vote(each: Judgement) -> Vote:
    unit = each.unit
    left, right = (unit.first, unit.second) if each.left == "first" else (unit.second, unit.first)
    outcome: Outcome = "tie" if each.verdict == "same" else each.verdict
    return Vote(left, right, outcome, each.judge, subject=f"{unit.example + 1}.{unit.sample + 1}")


def outlook(material: Material, votes: Sequence[Vote]) -> Outlook:
    """Where the settings stand, and which to compare next."""
    settings = material.settings
    own = [vote for vote in votes if vote.left in settings and vote.right in settings]
    return look_ahead(own, settings, same=material.same & set(combinations(settings, 2)))


def next_questions(
    material: Material, ahead: Outlook, judgements: Sequence[Judgement], judge: str, *, seed: int | str, count: int = 1
) -> tuple[tuple[Question, ...], tuple[Judgement, ...]]:
    """The next ``count`` questions to one judge, fewer where there are no more, and the ties of equal texts passed over.

    ``ahead``: the outlook of ``judgements`` and whatever votes there are beside. Settings are compared as ``ahead`` says;
    within two of them the judge's examples take turns, and texts that few have judged come first, every third time texts
    that others have judged. () once nothing is open, or the judge has judged all there is of it.
    """
    judged = {each.unit for each in judgements if each.judge == judge}
    pressed = sum(each.judge == judge and each.verdict != "same" for each in judgements)
    by_others = Counter(each.unit for each in judgements if each.judge != judge)
    order = {arm: place for place, arm in enumerate(material.arms)}
    wanted = [_in_order(pair.leader, pair.other, order) for pair in ahead.open]
    questions: list[Question] = []
    passed: list[Judgement] = []
    while wanted and len(questions) < count:
        turn = pressed + len(questions)
        control = _control_pair(material) if turn % CONTROL_EVERY == CONTROL_EVERY // 2 else ()
        for pair in (*control, *wanted):
            unit, ties = _next_unit(material, pair, judged, by_others, judge, seed, shared=turn % SHARED_EVERY == 2)
            judged |= {*ties, *([unit] if unit else [])}
            passed += [Judgement(tie, judge, "first", "same", 0.0) for tie in ties]
            if unit is not None:
                questions.append(material.question(unit, side_of(unit, judge, seed)))
                break
        else:
            break
    return tuple(questions), tuple(passed)


def side_of(unit: Unit, judge: str, seed: int | str) -> Side:
    """Which of the two stands left: a coin that always falls the same way for this judge and these texts."""
    return "second" if _digest(seed, judge, *unit.pair, unit.example, unit.sample)[0] & 1 else "first"


def _in_order(one: str, other: str, order: Mapping[str, int]) -> Pair:
    return (one, other) if order[one] < order[other] else (other, one)


def _control_pair(material: Material) -> tuple[Pair, ...]:
    pair = material.arms[0], CONTROL
    return (pair,) if pair in material.units and pair not in material.same else ()


def _next_unit(
    material: Material,
    pair: Pair,
    judged: set[Unit],
    by_others: Counter[Unit],
    judge: str,
    seed: int | str,
    *,
    shared: bool,
) -> tuple[Unit | None, list[Unit]]:
    """The next that this judge has not judged, and equal texts that came before it in the same order."""
    units = material.units.get(pair, ())
    if pair in material.same:
        return None, []
    examples = Counter(unit.example for unit in judged if unit.pair == pair)
    chance = np.random.default_rng(list(_digest(seed, judge, *pair))).permutation(len(units))

    def rank(place: int) -> tuple[float, int, int]:
        unit = units[place]
        others = by_others[unit]
        return (-min(others, 1) if shared else others), examples[unit.example], int(chance[place])

    ties: list[Unit] = []
    for place in sorted((place for place, unit in enumerate(units) if unit not in judged), key=rank):
        if not material.is_same(units[place]):
            return units[place], ties
        ties.append(units[place])
    return None, ties


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


# -- what a room has said ------------------------------------------------------------------------------------------------


class SaidOfTexts(Protocol):
    """A vote on two texts, such as a room's."""

    @property
    def prompt(self) -> str: ...
    @property
    def left_text(self) -> str: ...
    @property
    def right_text(self) -> str: ...
    @property
    def outcome(self) -> Outcome: ...
    @property
    def voter(self) -> str: ...


def votes_on_the_same(
    material: Material, said: Iterable[SaidOfTexts], shown: Callable[[str], str] = str.strip
) -> list[Vote]:
    """Votes given elsewhere on texts that are among these, to the same prompt; those that several arms wrote are left out.

    ``shown``: a text as it was shown there, by which texts are compared.
    """
    wrote: dict[tuple[str, str], set[str]] = {}
    for arm in material.settings:
        for (prompt, _system), samples in zip(material.prompts, material.texts[arm], strict=True):
            for text in samples:
                if text is not None:
                    wrote.setdefault((shown(prompt), shown(text)), set()).add(arm)
    votes = []
    for each in said:
        sides = [wrote.get((shown(each.prompt), shown(text)), set()) for text in (each.left_text, each.right_text)]
        if all(len(arms) == 1 for arms in sides) and sides[0] != sides[1]:
            (left,), (right,) = sides
            votes.append(Vote(left, right, each.outcome, f"room: {each.voter}", subject=f"room: {each.prompt}"))
    return votes
