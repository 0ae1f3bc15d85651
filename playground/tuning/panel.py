"""The judges of one kept tuning: their link, their questions and what they said, out of the store and into it.

Which question comes next is ``judging``'s business, what the votes say ``jury``'s. Knows no page. All methods raise StoreError,
and BadInput where the tuning is gone or a judge's link is no longer valid.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from playground.errors import BadInput
from playground.preferences.asking import Outlook
from playground.preferences.votes import Vote
from playground.store.records import JudgeRecord, ModelVoteRecord, TuningVoteRecord
from playground.tuning.judging import (
    PRESSED,
    Judgement,
    Material,
    Question,
    Unit,
    next_questions,
    outlook,
    votes_to_fit,
)
from playground.tuning.plan import CONTROL, Plan
from playground.tuning.running import plan_places
from playground.tuning.runs import TuningStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.store.connection import Database
    from playground.testtime.types import Candidate

OWNER = "owner"  # the nickname of who made the tuning
_MATERIALS = 8  # tunings whose texts this process keeps at hand
_materials: OrderedDict[tuple[str, int], Material] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class ModelOpinion:
    """Log-odds that ``model`` prefers the unit's first text, read with it as number 1 (``as_one``) and as number 2."""

    unit: Unit
    model: str
    as_one: float
    as_two: float


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """What a judge is asked next, and where all votes stand. ``votes`` on settings, a room's too; ``own``: this judge's, all."""

    questions: tuple[Question, ...]
    ahead: Outlook
    votes: int
    own: int


def material_of(plan: Plan, texts: Mapping[int, Candidate]) -> Material:
    """What can be judged of a tuning's texts, ``texts`` by place."""
    by_arm: dict[str, list[list[str | None]]] = {
        arm: [[None] * plan.samples for _example in plan.examples] for arm in plan.arms
    }
    for place, (example, arm, sample) in enumerate(plan_places(plan)):
        if place in texts:
            by_arm[arm][example][sample] = texts[place].text
    return Material(plan.arms, tuple((each.prompt, each.system) for each in plan.examples), by_arm)


class Panel:
    """``owner``: whose the tuning is. ``token``: the link by which its judge came, None for the owner."""

    def __init__(self, tuning: str, owner: str, *, token: str | None = None, database: Database | None = None) -> None:
        """``database``: None for the one of this process."""
        from playground.store.connection import shared_database  # SQLAlchemy takes a while
        from playground.store.judging import JudgingTable

        database = database or shared_database()
        self.tuning, self._token = tuning, token
        self._kept, self._table = TuningStore(owner, database), JudgingTable(database)

    @classmethod
    def by_link(cls, token: str, *, database: Database | None = None) -> Panel:
        """The one that a judge's link leads to. Raises BadInput where it leads nowhere."""
        from playground.store.connection import shared_database
        from playground.store.judging import JudgingTable

        database = database or shared_database()
        ids = JudgingTable(database).tuning_of(token) if token else None
        if ids is None:
            raise _no_link()
        return cls(*ids, token=token, database=database)

    def material(self) -> Material:
        """The texts as far as they are written. Raises BadInput where the tuning is gone."""
        key = self.tuning, self._kept.summary(self.tuning).written
        with _lock:
            if key in _materials:
                _materials.move_to_end(key)
                return _materials[key]
        kept = self._kept.load(self.tuning)
        material = material_of(kept.plan, kept.texts)
        with _lock:
            _materials[self.tuning, len(kept.texts)] = material
            while len(_materials) > _MATERIALS:
                _materials.popitem(last=False)
        return material

    # -- votes -----------------------------------------------------------------------------------------------------

    def judgements(self) -> tuple[Judgement, ...]:
        """All, in the order in which they came."""
        return tuple(_judgement(record) for record in self._table.votes(self.tuning))

    def newest_vote(self) -> tuple[int, float]:
        """How many there are and when the last one came: what changes with each vote."""
        return self._table.newest_vote(self.tuning)

    def turn(self, judge: str, count: int, of_room: Sequence[Vote] = ()) -> Turn:
        """This judge's next questions. Ties of equal texts that stand before them are stored."""
        material, judgements = self.material(), self.judgements()
        ahead = outlook(material, [*votes_to_fit(judgements), *of_room])
        questions, passed = next_questions(material, ahead, judgements, judge, seed=self.tuning, count=count)
        if passed:
            self._put(passed)
        asked = [each for each in judgements if each.verdict != "same"]
        votes = sum(CONTROL not in each.unit.pair for each in asked) + len(of_room)
        return Turn(questions, ahead, votes, sum(each.judge == judge for each in asked))

    def vote(self, judge: str, question: Question, verdict: str) -> None:
        """What a judge said of a question, in the place of what was said before. Raises BadInput for another word."""
        if verdict not in PRESSED:
            raise BadInput("A vote is for one of the two answers, a tie, or both bad.", "vote")
        self.material().texts_of(question.unit)
        self._put([Judgement(question.unit, judge, question.left, verdict, time.time())])

    def undo(self, judge: str, question: Question) -> None:
        """Take back what a judge said of a question."""
        self._table.remove_vote(self.tuning, _record(Judgement(question.unit, judge, question.left, "tie", 0.0)))

    def _put(self, judgements: Sequence[Judgement]) -> None:
        if not self._table.put_votes(self.tuning, [_record(each) for each in judgements], token=self._token):
            self._kept.summary(self.tuning)  # says that it is gone
            raise _no_link()

    # -- judges ----------------------------------------------------------------------------------------------------

    def judges(self) -> dict[str, JudgeRecord]:
        """Who has come to judge, by visitor."""
        return {record.judge: record for record in self._table.judges(self.tuning)}

    def admit(self, judge: str, nickname: str, key: str) -> None:
        """Let a visitor judge under a nickname that nobody else has here."""
        if self._token is None:
            self._kept.summary(self.tuning)
        if not self._table.put_judge(self.tuning, JudgeRecord(judge, nickname, key, time.time())):
            raise _no_link()

    # -- the owner's -----------------------------------------------------------------------------------------------

    def link(self) -> str | None:
        """The token of the judges' link; None where there is none. Raises BadInput where the tuning is another's."""
        self._kept.summary(self.tuning)
        return self._table.link_of(self.tuning)

    def new_link(self) -> str:
        """A link that leads here; an earlier one does no longer."""
        token = secrets.token_urlsafe(16)
        self._change_link(token)
        return token

    def revoke_link(self) -> None:
        """No link leads here; votes that came by it stay."""
        self._change_link(None)

    def _change_link(self, token: str | None) -> None:
        self._kept.summary(self.tuning)  # says that it is gone, or another's: its id stands in every link to the page
        self._table.put_link(self.tuning, token, time.time())

    # -- models ----------------------------------------------------------------------------------------------------

    def opinions(self) -> tuple[ModelOpinion, ...]:
        """Of all models that were asked."""
        return tuple(
            ModelOpinion(Unit(each.example, each.sample, each.first, each.second), each.model, each.as_one, each.as_two)
            for each in self._table.model_votes(self.tuning)
        )

    def put_opinions(self, opinions: Sequence[ModelOpinion]) -> None:
        records = [
            ModelVoteRecord(each.model, **_texts(each.unit), as_one=each.as_one, as_two=each.as_two)
            for each in opinions
        ]
        self._table.put_model_votes(self.tuning, records)


def _no_link() -> BadInput:
    return BadInput("This link to judge is not valid any more: ask who sent it for a new one.", "judge")


def _texts(unit: Unit) -> dict[str, Any]:
    return {"example": unit.example, "sample": unit.sample, "first": unit.first, "second": unit.second}


def _record(each: Judgement) -> TuningVoteRecord:
    return TuningVoteRecord(each.judge, **_texts(each.unit), left=each.left, verdict=each.verdict, at=each.at)


def _judgement(record: TuningVoteRecord) -> Judgement:
    unit = Unit(record.example, record.sample, record.first, record.second)
    return Judgement(unit, record.judge, cast(Any, record.left), cast(Any, record.verdict), record.at)
