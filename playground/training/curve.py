"""A training's checkpoint file, as much as needs no tensors: its name and the curve in its header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playground.training.steps import TrainStep, read_step

FILE_NAME = "checkpoint.safetensors"


def read_checkpoint_header(folder: Path) -> dict[str, Any] | None:
    """The header's JSON; None where there is no checkpoint. Raises ValueError, KeyError or TypeError for a damaged one."""
    from safetensors import SafetensorError, safe_open

    file = folder / FILE_NAME
    if not file.is_file():
        return None
    try:
        with safe_open(file, framework="np") as opened:
            metadata = json.loads(opened.metadata()["training"])
    except (OSError, SafetensorError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(metadata, dict):
        raise TypeError("not an object")
    return metadata


def read_notes(folder: Path) -> tuple[str, ...]:
    """What was said of the rows before the first step. Raises as ``read_checkpoint_header``."""
    metadata = read_checkpoint_header(folder)
    return tuple(map(str, metadata.get("notes", ()))) if metadata else ()


def read_curve(folder: Path) -> tuple[TrainStep, ...]:
    """The steps up to the last checkpoint, none without one. Raises as ``read_checkpoint_header``."""
    metadata = read_checkpoint_header(folder)
    return tuple(read_step(step) for step in metadata["steps"]) if metadata else ()
