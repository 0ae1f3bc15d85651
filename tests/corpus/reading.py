"""Documents out of bytes, read and measured to the end."""

from __future__ import annotations

import io

from playground.corpus.documents import Document, Documents
from playground.corpus.measuring import COMPUTED, Measured, measure
from playground.engine.pieces import finish


def read(data: bytes, name: str = "", *, parted: bool = False) -> tuple[list[Document], list[str]]:
    """The documents, and what was said of the file."""
    documents = Documents(io.BytesIO(data), name, parted=parted)
    return list(documents), documents.notes


def measured(*texts: str, groups: tuple[str, ...] = COMPUTED) -> Measured:
    """Those texts with their values."""
    return finish(measure([Document(number, text) for number, text in enumerate(texts)], groups=groups))
