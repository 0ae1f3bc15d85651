"""The rows of the database as frozen data. Texts named so hold JSON; bytes hold little-endian arrays."""

from __future__ import annotations

from dataclasses import dataclass

from playground.errors import PlaygroundError


class StoreError(PlaygroundError):
    """Nothing can be stored or read: the disk is full, the folder cannot be written, the database is damaged or away."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. ``created``, ``written`` (last): seconds since 1970. ``request``, ``origin``, ``cost``: JSON. ``owner``: the
    process that writes it, as ``owner.this_process`` names it. ``finished``: how many candidates are stored; counted when read.
    """

    id: str
    created: float
    request: str
    origin: str
    status: str
    owner: str
    written: float
    cost: str
    finished: int = 0


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """One candidate of a run. ``place``: its number. ``plain``: JSON. ``prompt_ids``, ``ids``: int32. ``arrays``: float32."""

    place: int
    plain: str
    prompt_ids: bytes
    ids: bytes
    arrays: bytes


@dataclass(frozen=True, slots=True)
class ColumnRecord:
    """One rule's scores for all candidates of a run, by the rule's label. ``scores``: JSON."""

    label: str
    scores: str
