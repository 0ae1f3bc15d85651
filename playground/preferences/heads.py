"""A fitted reward head as it is kept: its weights, whose hidden states it reads, and from what it was learnt."""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.store.records import RewardHeadRecord, StoreError

if TYPE_CHECKING:
    from playground.store.connection import Database

HEAD_ID = re.compile(r"[a-f0-9]{32}")
MOST_HEADS = 50  # of one visitor


@dataclass(frozen=True, slots=True, eq=False)
class RewardHead:
    """r = weights · state. ``model``: the id of the model whose last state it reads. ``weights`` (hidden,) float32."""

    id: str
    name: str
    model: str
    weights: npt.NDArray[np.float32]
    votes: int
    penalty: float


class HeadStore:
    """``owner``: whose they are. All methods raise StoreError."""

    def __init__(self, owner: str, database: Database | None = None) -> None:
        """``database``: None for the one of this process."""
        from playground.store.ballots import BallotTable
        from playground.store.connection import shared_database  # SQLAlchemy takes a while

        self._owner, self._table = owner, BallotTable(database or shared_database())

    def add(
        self, name: str, model: str, weights: npt.NDArray[np.floating], *, votes: int, penalty: float
    ) -> RewardHead:
        """Keep a new one."""
        if len(self._table.heads(self._owner)) >= MOST_HEADS:
            raise BadInput(f"There are {MOST_HEADS} kept reward heads already: delete one first.", "head")
        head = RewardHead(uuid.uuid4().hex, name, model, weights.astype(np.float32), votes, penalty)
        stored = {"weights": head.weights.astype(float).tolist(), "votes": votes, "penalty": penalty}
        self._table.put_head(RewardHeadRecord(head.id, self._owner, time.time(), name, model, json.dumps(stored)))
        return head

    def heads(self) -> tuple[RewardHead, ...]:
        """The newest first."""
        return tuple(map(_read, self._table.heads(self._owner)))

    def delete(self, head: str) -> None:
        """One that is not there is no error."""
        self._table.delete_head(head, self._owner)


def find_head(head: str, database: Database | None = None) -> RewardHead:
    """The one of this id, whoever asks: nobody guesses an id, and a link to a run may name it. Raises BadInput, StoreError."""
    from playground.store.ballots import BallotTable
    from playground.store.connection import shared_database

    record = BallotTable(database or shared_database()).head(head)
    if record is None:
        raise BadInput("There is no such reward head: fit one on the page Preferences, and keep it.", "scorer")
    return _read(record)


def _read(record: RewardHeadRecord) -> RewardHead:
    try:
        stored = json.loads(record.head)
        weights = np.array(stored["weights"], dtype=np.float32)
        return RewardHead(record.id, record.name, record.model, weights, int(stored["votes"]), float(stored["penalty"]))
    except (ValueError, KeyError, TypeError):
        raise StoreError("This reward head was damaged on the disk: fit it anew.") from None
