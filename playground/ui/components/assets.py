"""Reads the components' scripts and styles. Several files become one: a component takes a single text of each kind."""

from __future__ import annotations

from pathlib import Path


def read(*names: str) -> str:
    """The files' texts, one after the other."""
    folder = Path(__file__).parent
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
