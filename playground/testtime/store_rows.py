"""The tables of the file of kept runs, and a candidate or a column of scores as a row and back. Knows no file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from playground.testtime.types import Candidate, Score, ScoreColumn, ScorerSpec

_ARRAYS = ("raw_logprobs", "probs", "entropies", "mean_logprobs", "top_logprobs")
_PLAIN = ("text", "finish_reason", "vocab_size", "elapsed_ms", "origin", "setting", "seed", "luck_row", "beam_score")


class Base(DeclarativeBase):
    pass


class RunRow(Base):
    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[float]  # seconds since 1970
    name: Mapped[str]
    asking: Mapped[str]  # JSON
    origin: Mapped[str]  # JSON
    status: Mapped[str]
    owner: Mapped[str]  # the process that writes it
    cost: Mapped[str]  # JSON


class CandidateRow(Base):
    __tablename__ = "candidates"
    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    plain: Mapped[str]  # JSON
    prompt_ids: Mapped[bytes]
    ids: Mapped[bytes]
    arrays: Mapped[bytes]  # the float32 arrays one after the other


class ColumnRow(Base):
    __tablename__ = "columns"
    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    scores: Mapped[str]  # JSON


class NoteRow(Base):
    """A text under a name: the bake-off under way."""

    __tablename__ = "notes"
    name: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]


def candidate_row(run: str, candidate: Candidate) -> CandidateRow:
    arrays = [np.asarray(getattr(candidate, name), dtype="<f4") for name in _ARRAYS]
    plain = {name: getattr(candidate, name) for name in _PLAIN} | {"top": int(candidate.top_logprobs.shape[1])}
    return CandidateRow(
        run=run,
        place=candidate.index,
        plain=json.dumps(plain, ensure_ascii=False),
        prompt_ids=np.asarray(candidate.prompt_ids, dtype="<i4").tobytes(),
        ids=np.asarray(candidate.ids, dtype="<i4").tobytes(),
        arrays=b"".join(array.tobytes() for array in arrays),
    )


def candidate_of(row: CandidateRow) -> Candidate:
    plain = json.loads(row.plain)
    ids = tuple(int(token) for token in np.frombuffer(row.ids, dtype="<i4"))
    n, top = len(ids), int(plain.pop("top"))
    values = np.frombuffer(row.arrays, dtype="<f4")
    *flat, tops = np.split(values, [n, 2 * n, 3 * n, 4 * n])
    arrays: dict[str, Any] = dict(zip(_ARRAYS, [*flat, tops.reshape(n, top)], strict=True))
    prompt = tuple(int(token) for token in np.frombuffer(row.prompt_ids, dtype="<i4"))
    return Candidate(index=row.place, prompt_ids=prompt, ids=ids, **plain, **arrays)


def column_json(column: ScoreColumn) -> str:
    scores = [[score.value, score.valid, score.note] for score in column.scores]
    return json.dumps(
        {
            "name": column.spec.name,
            "argument": column.spec.argument,
            "scores": scores,
            "ms": column.elapsed_ms,
            "problem": column.problem,
        },
        ensure_ascii=False,
        allow_nan=False,
    )


def column_of(row: ColumnRow) -> ScoreColumn:
    read = json.loads(row.scores)
    scores = tuple(Score(value, valid, note) for value, valid, note in read["scores"])
    return ScoreColumn(ScorerSpec(read["name"], read["argument"]), scores, read["ms"], read["problem"])
