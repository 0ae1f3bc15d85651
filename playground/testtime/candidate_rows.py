"""A candidate as a row of the database, and back: texts and plain values as JSON, ids and numbers as little-endian arrays."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from playground.store.records import CandidateRecord
from playground.testtime.types import Candidate

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
_ARRAYS = ("raw_logprobs", "probs", "entropies", "mean_logprobs", "top_logprobs")
_PLAIN = (
    "text",
    "pieces",
    "finish_reason",
    "vocab_size",
    "elapsed_ms",
    "origin",
    "setting",
    "seed",
    "random_stream",
    "beam_score",
)
_NO_ID = -1  # of a token whose id the engine did not tell
_FORMER_NAMES = {"luck_row": "random_stream"}  # as runs stored by earlier versions have it


def candidate_record(candidate: Candidate) -> CandidateRecord:
    """``place`` is its index."""
    arrays = [np.asarray(getattr(candidate, name), dtype="<f4") for name in _ARRAYS]
    plain = {name: getattr(candidate, name) for name in _PLAIN} | {"top": int(candidate.top_logprobs.shape[1])}
    return CandidateRecord(
        place=candidate.index,
        plain=json.dumps(plain, ensure_ascii=False),
        prompt_ids=np.asarray(candidate.prompt_ids, dtype="<i4").tobytes(),
        ids=np.asarray([_NO_ID if token is None else token for token in candidate.ids], dtype="<i4").tobytes(),
        arrays=b"".join(array.tobytes() for array in arrays),  # one after the other
    )


def candidate_of(row: CandidateRecord) -> Candidate:
    """Raises one of ``UNREADABLE`` for a row that was damaged."""
    plain = {_FORMER_NAMES.get(name, name): value for name, value in json.loads(row.plain).items()}
    plain["pieces"] = tuple(plain.get("pieces", ()))  # earlier versions knew no engine that samples by itself
    ids = tuple(None if token == _NO_ID else int(token) for token in np.frombuffer(row.ids, dtype="<i4"))
    n, top = len(ids), int(plain.pop("top"))
    values = np.frombuffer(row.arrays, dtype="<f4")
    *flat, tops = np.split(values, [n, 2 * n, 3 * n, 4 * n])
    arrays: dict[str, Any] = dict(zip(_ARRAYS, [*flat, tops.reshape(n, top)], strict=True))
    prompt = tuple(int(token) for token in np.frombuffer(row.prompt_ids, dtype="<i4"))
    return Candidate(index=row.place, prompt_ids=prompt, ids=ids, **plain, **arrays)
