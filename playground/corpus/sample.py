"""The documents that ship: some dozens written for this project, good and bad, in several languages and dialects of English.

Their labels are their author's, their votes are made up with them: what popularity does to such a mixture can be seen on
them, how people vote cannot.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from playground.corpus.documents import Documents
from playground.errors import BadInput

NAME = "sample.jsonl"


@contextmanager
def open_documents(path: str | None = None) -> Iterator[Documents]:
    """The documents of a file, or of the sample. Raises BadInput for what cannot be opened."""
    try:
        if path is None:
            data = files("playground.corpus").joinpath("data", NAME).read_bytes()
            yield Documents(io.BytesIO(data), NAME)
            return
        with Path(path).open("rb") as file:
            yield Documents(file, path)
    except (OSError, ValueError) as error:
        raise BadInput(f"--text-file: {path!r} cannot be read ({error}); name a file.", "text_file") from None
