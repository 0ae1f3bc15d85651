"""A training's checkpoint as one file: tensors in safetensors, the curve as JSON in its header. Replaced in one go."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Sequence
from pathlib import Path

from playground.errors import BadInput, ModelError
from playground.models.wording import reason_text
from playground.training.curve import FILE_NAME, read_checkpoint_header
from playground.training.loop import Checkpoint
from playground.training.steps import read_step, step_values
from playground.training.student import Tensors

_PARTS = ("taught", "optimizer", "best", "reference")


def save_checkpoint(folder: Path, checkpoint: Checkpoint, notes: Sequence[str] = ()) -> None:
    """Write it beside the old one and put it in its place: whoever is killed leaves one that is whole.

    ``notes``: what was said of the rows. Raises ModelError with one sentence where the disk does not play along; the old
    one then stays.
    """
    from safetensors.torch import save

    parts = {part: getattr(checkpoint, part) for part in _PARTS}
    tensors = {f"{part}/{name}": one.contiguous() for part, of_part in parts.items() for name, one in of_part.items()}
    metadata = {
        "steps": [step_values(step) for step in checkpoint.steps],
        "best_value": checkpoint.best_value,
        "notes": list(notes),
    }
    target, new = folder / FILE_NAME, folder / f"{FILE_NAME}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as file:
            file.write(save(tensors, {"training": json.dumps(metadata)}))
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, target)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise ModelError(disk_problem(folder, error)) from error


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """The last one; None where there is none. Raises BadInput for a damaged one."""
    from safetensors import SafetensorError, safe_open

    try:
        metadata = read_checkpoint_header(folder)
        if metadata is None:
            return None
        with safe_open(folder / FILE_NAME, framework="pt") as opened:
            parts: dict[str, Tensors] = {part: {} for part in _PARTS}
            for key in opened.keys():  # noqa: SIM118 - not a dict
                part, _, name = key.partition("/")
                parts[part][name] = opened.get_tensor(key)
        steps = tuple(read_step(step) for step in metadata["steps"])
        return Checkpoint(steps, best_value=metadata["best_value"], **parts)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"The checkpoint of this training is damaged ({reason_text(error)[:80]}): train anew.", "checkpoint"
        ) from error


def disk_problem(folder: Path, error: Exception) -> str:
    """Why nothing could be written, as a sentence with a next step."""
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
        return f"The disk is full, so the training is not kept: free some space in {folder.parent}, then go on."
    return f"The training cannot be kept in {folder.parent} ({reason_text(error)[:80]}): make it writable, then go on."
