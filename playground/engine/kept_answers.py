"""What a model has answered before, kept on the disk, so that a later start shows it before the weights are there.

A row of logits or a text's scores goes into one .npz file (whose own checksums tell a broken one), named by a digest of
all that the numbers depend on: weights, dtype, device, libraries, processor and token ids. No text is stored. Nothing in
here can fail for the reader: what cannot be read was not kept, and what cannot be written is not kept. (A library made
for this, diskcache, unpickles what lies in its folder.)
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tempfile
import threading
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from playground.engine.types import Capabilities, FloatArray, SequenceScore, TokenIds
from playground.models.info import ModelInfo

MAX_BYTES = 64 * 1024 * 1024  # some 330 rows of 49,152 numbers
_FORMAT = 1  # raise it when the files or the way of computing them change

Arrays = Mapping[str, "np.ndarray[Any, Any]"]


def circumstances() -> str:
    """What else than weights and ids a row's last digits depend on here."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    libraries = f"torch {torch.__version__}, transformers {version('transformers')}"
    return f"{_FORMAT}, {libraries}, {platform.machine()} {torch.backends.cpu.get_cpu_capability()} {gpu}"


class KeptAnswers:
    """Rows, scores and facts of the models of one cache folder; the oldest go beyond ``max_bytes``. Any thread."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._circumstances = circumstances()
        self._lock = threading.Lock()

    def about(self, revision: str) -> tuple[ModelInfo, Capabilities] | None:
        """The facts of the model ``revision`` and what its engine can do, from when it was loaded last."""
        try:
            found = json.loads(self._path("about", revision).with_suffix(".json").read_text(encoding="utf-8"))
            eos = tuple(found["info"].pop("eos_token_ids"))
            return ModelInfo(**found["info"], eos_token_ids=eos), Capabilities(**found["capabilities"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def put_about(self, info: ModelInfo, capabilities: Capabilities) -> None:
        told = json.dumps({"info": asdict(info), "capabilities": asdict(capabilities)}).encode()
        self._write(self._path("about", info.revision).with_suffix(".json"), told)

    def row(self, revision: str, ids: TokenIds) -> FloatArray | None:
        """Logits (vocab,) of the token after ``ids``, read-only."""
        found = self._read(self._path("row", revision, ids))
        logits = found.get("logits") if found else None
        if logits is None or logits.ndim != 1 or logits.dtype != np.float32:
            return None
        logits.flags.writeable = False
        return logits

    def put_row(self, revision: str, ids: TokenIds, logits: FloatArray) -> None:
        self._write_arrays(self._path("row", revision, ids), {"logits": logits})

    def score(self, revision: str, ids: TokenIds) -> SequenceScore | None:
        """The scores of the text ``ids``."""
        found = self._read(self._path("score", revision, ids))
        try:
            return None if found is None else SequenceScore(ids, **{name: found[name] for name in _SCORES})
        except KeyError:
            return None

    def put_score(self, revision: str, score: SequenceScore) -> None:
        arrays = {name: getattr(score, name) for name in _SCORES}
        self._write_arrays(self._path("score", revision, score.ids), arrays)

    def forget(self, revision: str, ids: TokenIds) -> None:
        """Drop what is kept of ``ids``."""
        for kind in ("row", "score"):
            with suppress(OSError):
                self._path(kind, revision, ids).unlink()

    def _path(self, kind: str, revision: str, ids: TokenIds = ()) -> Path:
        key = json.dumps([self._circumstances, kind, revision, ids])
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"

    def _read(self, path: Path) -> dict[str, np.ndarray[Any, Any]] | None:
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as opened:
                found = {name: opened[name] for name in opened.files}
            os.utime(path)  # the least recently used go first
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return found

    def _write_arrays(self, path: Path, arrays: Arrays) -> None:
        if path.exists():
            return
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        self._write(path, buffer.getvalue())

    def _write(self, path: Path, content: bytes) -> None:
        """Whole or not at all; then room is made."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as part:
                part.write(content)
            os.replace(part.name, path)
            with self._lock:
                self._make_room()
        except OSError:
            return

    def _make_room(self) -> None:
        facts = sorted(((path, path.stat()) for path in self._folder.iterdir()), key=lambda each: -each[1].st_mtime)
        used = 0
        for path, fact in facts:
            used += fact.st_size
            if used > self._max_bytes:
                path.unlink(missing_ok=True)


_SCORES = ("logprobs", "ranks", "entropies")
