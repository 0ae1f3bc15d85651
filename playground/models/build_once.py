"""Make a folder of files once, whole or not at all, however many processes start together.

The files are written beside their final place, listed in a manifest with sizes and checksums, and renamed into place
in one step; a file lock lets one process build while the others wait and then use the result. Knows nothing of models.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from playground.errors import ModelError
from playground.models.wording import Progress, reason_text, silent, size_text

MANIFEST = "manifest.json"
_CHUNK_BYTES = 1 << 20
_POLL_SECONDS = 0.1

Build = Callable[[Path, Progress], None]


def ensure_built(target: Path, build: Build, needed_bytes: int, progress: Progress = silent) -> Path:
    """``target``, intact: as found, or built now by ``build(empty_folder, progress)``.

    Every call reads all the files once to compare checksums (0.3 s for 540 MB on a 2.4 GHz core), so that a flipped
    bit is found at the next start. Raises ModelError when the folder cannot be written or lacks ``needed_bytes``.
    """
    if is_intact(target):  # no lock: a finished folder appears in one rename, and a read-only cache must work
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target, progress):
            if not is_intact(target):
                _rebuild(target, build, needed_bytes, progress)
    except OSError as error:
        raise ModelError(_disk_message(target.parent, needed_bytes, error)) from error
    return target


def is_intact(target: Path) -> bool:
    """Whether ``target`` holds exactly the files of its manifest, byte for byte."""
    try:
        listed = json.loads((target / MANIFEST).read_text(encoding="utf-8"))["files"]
        if {path.name for path in target.iterdir()} != {MANIFEST, *listed}:
            return False
        sizes = all((target / name).stat().st_size == entry["bytes"] for name, entry in listed.items())
        return sizes and all(checksum(target / name) == entry["crc32"] for name, entry in listed.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def checksum(path: Path) -> int:
    """CRC-32 of a file. It guards against accidents, not attackers, and costs a quarter of a SHA-256."""
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            crc = zlib.crc32(chunk, crc)
    return crc


def free_bytes(folder: Path) -> int:
    """Space left on the disk that holds ``folder``."""
    return shutil.disk_usage(folder).free


class _locked:  # noqa: N801 - reads as a verb
    """Hold the build lock of ``target``; tell ``progress`` when somebody else has it."""

    def __init__(self, target: Path, progress: Progress) -> None:
        self._lock = FileLock(target.with_name(target.name + ".lock"))
        self._progress = progress

    def __enter__(self) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self._progress("Waiting for another process to prepare the model", 0.0)
            self._lock.acquire(poll_interval=_POLL_SECONDS)

    def __exit__(self, *exc: object) -> None:
        self._lock.release()


def _rebuild(target: Path, build: Build, needed_bytes: int, progress: Progress) -> None:
    """Build into a temporary neighbour and rename. Called with the lock held, so every neighbour found is an orphan."""
    prefix = target.name + ".part-"
    for leftover in target.parent.glob(prefix + "*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if target.exists():
        shutil.rmtree(target)
    if free_bytes(target.parent) < needed_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    part = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    try:
        build(part, progress)
        _write_manifest(part)
        part.rename(target)
        _flush(target.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _write_manifest(folder: Path) -> None:
    """List what ``folder`` holds, once all of it is on the disk and not only in the system's memory."""
    files = {}
    for path in sorted(folder.iterdir()):
        _flush(path)
        files[path.name] = {"bytes": path.stat().st_size, "crc32": checksum(path)}
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"files": files}, indent=1), encoding="utf-8")
    _flush(manifest)
    _flush(folder)


def _flush(path: Path) -> None:
    """Ask the system to write ``path`` to the disk. Windows cannot flush a folder, and needs not."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _disk_message(folder: Path, needed_bytes: int, error: OSError) -> str:
    advice = "free some space or point PLAYGROUND_CACHE at another folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The model cache {folder} needs {size_text(needed_bytes)} of free disk space and has less: {advice}."
    why = error.strerror or reason_text(error)
    need = f"{size_text(needed_bytes)} are needed there"
    return f"The model cache {folder} cannot be written ({why}; {need}): point PLAYGROUND_CACHE at another folder."
