"""The last measurement of each model on this server: it belongs to the machine, so all pages and readers share it."""

from __future__ import annotations

from playground.inspection.timing import Timing
from playground.models.info import ModelInfo

_TIMINGS: dict[str, tuple[Timing, float]] = {}


def timings() -> dict[str, tuple[Timing, float]]:
    """By model revision: the last measurement and when it was made (seconds since 1970)."""
    return _TIMINGS


def cached_timing(info: ModelInfo) -> Timing | None:
    """Of this model, if any page has measured it."""
    measurement = _TIMINGS.get(info.revision)
    return None if measurement is None else measurement[0]
