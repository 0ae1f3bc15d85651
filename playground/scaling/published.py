"""Every published number that this package must reproduce, as data: what was published, and how it is computed here.

Tests run all of them and a page shows them. A case that a source rounds or that cannot be met exactly says so.
"""

from __future__ import annotations

from playground.scaling.published_case import PublishedCase
from playground.scaling.published_models import language_cases, memory_cases, parameter_cases, serving_cases
from playground.scaling.published_training import compute_cases, law_cases


def published_cases() -> tuple[PublishedCase, ...]:
    """All cases, by topic."""
    return (
        *parameter_cases(),
        *compute_cases(),
        *law_cases(),
        *memory_cases(),
        *serving_cases(),
        *language_cases(),
    )
