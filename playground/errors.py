"""Every failure that a person can act on.

Core code raises one of these; ``ui/`` and the command line show ``str(error)`` and nothing else. A message is one
sentence that says what is wrong and what to do next, and it names the field or flag at fault. This module knows
nothing of where the message will be shown.
"""

from __future__ import annotations


class PlaygroundError(Exception):
    """Base of all errors a user may see. ``str(error)`` is a complete sentence with a next step."""


class BadInput(PlaygroundError):
    """Something the user typed, linked or uploaded cannot be used. ``field`` names the input at fault."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class BadSetting(BadInput):
    """A sampling parameter is not a number, out of range, or unknown."""


class BadPrompt(BadInput):
    """The prompt is empty, too long for the context, or not text."""


class ModelError(PlaygroundError):
    """A model cannot be found, read, trusted or run."""


class ModelNotFound(ModelError):
    """No such model here: not bundled, not cached, not a folder, and the hub did not have it or was out of reach."""


class ModelRefused(ModelError):
    """The model would run foreign code or unpickle weights, which the playground never does."""


class ModelCorrupt(ModelError):
    """Files are missing, half-written or of the wrong format."""


class ModelTooLarge(ModelError):
    """The model does not fit. ``needed_bytes`` and ``available_bytes`` are the two numbers that say so."""

    def __init__(self, message: str, needed_bytes: int, available_bytes: int) -> None:
        super().__init__(message)
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes


class ServerError(ModelError):
    """A server that was chosen as a model is out of reach, refuses, or answers what cannot be used.

    ``status`` is the HTTP status of a refusal, None where there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class CapabilityMissing(PlaygroundError):
    """The engine cannot do what the page asks (a Mamba has no attention)."""


class LimitReached(PlaygroundError):
    """More than one visitor of a shared server may ask for."""


class Cancelled(PlaygroundError):
    """Nobody waits for this work any more. Shown to no one; raised so that the worker stops."""


class TrainingDiverged(PlaygroundError):
    """The loss of a training ran away or is no number any more: going on would teach nothing."""
