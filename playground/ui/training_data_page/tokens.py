"""How many tokens of the model are left: counted where the documents are few and short, else from the first of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.ui.kit import session
from playground.ui.training_data_page.view import FilterView

Floats = npt.NDArray[np.float64]
COUNTED = 200  # documents whose beginnings are encoded
BEGINNING = 4_000  # characters


@dataclass(eq=False)
class _Counted:
    """Tokens of each document, (documents,), of the documents and the model named by ``key``."""

    key: object = None
    tokens: Floats | None = None
    exact: bool = False


def counted_exactly(view: FilterView) -> bool:
    """Whether all of each document was counted."""
    return _cached_counts(view).exact


def tokens_of(view: FilterView) -> Floats:
    """(documents,) tokens of each."""
    tokens = _cached_counts(view).tokens
    assert tokens is not None
    return tokens


def _cached_counts(view: FilterView) -> _Counted:
    counted, key = session.get(_Counted), (id(view.measured), view.worker.engine.info.revision)
    if counted.key != key or counted.tokens is None:
        counted.key = key
        counted.tokens, counted.exact = _count(view)
    return counted


def _count(view: FilterView) -> tuple[Floats, bool]:
    codec, measured = view.worker.engine.codec, view.measured
    tokens, size, exact = list[int](), 0, len(measured) <= COUNTED
    for place in range(min(len(measured), COUNTED)):
        text = measured.text(place)
        exact = exact and len(text) <= BEGINNING
        part = text[:BEGINNING]
        tokens.append(len(codec.encode(part)))
        size += len(part.encode("utf-8", "replace"))
    if exact:
        return np.array(tokens, dtype=np.float64), True
    return measured.sizes.astype(np.float64) * (sum(tokens) / max(size, 1)), False
