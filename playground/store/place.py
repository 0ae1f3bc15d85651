"""Where things are stored, and what the failures of a disk or a database mean for a person. Imports no database."""

from __future__ import annotations

import os
import re
from pathlib import Path

DATA_VARIABLE = "PLAYGROUND_DATA"
URL_VARIABLE = "PLAYGROUND_STORE"
FILE_NAME = "best-of-n-1.sqlite3"


def data_folder() -> Path:
    """PLAYGROUND_DATA, or the system's data folder for this user."""
    import platformdirs

    chosen = os.environ.get(DATA_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("llm-playground"))


def database_url() -> str:
    """PLAYGROUND_STORE (postgresql+psycopg://user:password@host/name), or the SQLite file in the data folder."""
    return os.environ.get(URL_VARIABLE) or sqlite_url(data_folder())


def is_shared() -> bool:
    """Whether a store is named, so that other processes may use the same."""
    return bool(os.environ.get(URL_VARIABLE))


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / FILE_NAME}"


def file_problem(path: Path, reason: str) -> str:
    """Why a SQLite file cannot be used, as one sentence with a next step."""
    if "full" in reason or "No space" in reason:
        return f"The disk is full, so this run is not kept: free some space in {path.parent} or delete older runs."
    if "locked" in reason:
        return f"Another process holds the file of recorded runs ({path.name}): close it and try again."
    if "malformed" in reason or "not a database" in reason:
        return f"The file of recorded runs is damaged ({path}): move it away, a new one will be made."
    if re.search(r"no such (?:column|table)|has no column|constraint failed", reason):
        return f"The file of recorded runs is of another version ({path}): move it away, a new one will be made."
    return (
        f"Runs cannot be kept in {path.parent} ({reason}): make it writable or set {DATA_VARIABLE} to another folder."
    )


def server_problem(place: str, reason: str) -> str:
    """Why a database server cannot be used, as one sentence with a next step. ``place``: its URL without the password."""
    if reason.startswith("No module named"):
        return f"Runs cannot be kept in {place}: its driver is not installed ({reason}); install it, or unset {URL_VARIABLE}."
    return f"Runs cannot be kept in {place} ({reason}): see that it runs and that {URL_VARIABLE} is right, or unset it."
