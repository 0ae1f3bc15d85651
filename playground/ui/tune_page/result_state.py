"""What of a tuning's results is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playground.ui.kit import session

ALL = "all prompts"


@dataclass(frozen=True, slots=True)
class ResultsState:
    """What is looked at. ``measures``: None, the plan's and some beside. ``arm`` "": the first beside the present one."""

    measures: tuple[str, ...] | None = None
    measure: str = ""
    other: str = "distinct-2"
    arm: str = ""
    tag: str = ALL
    view: str = "differences"


def set_shown(field: str) -> Callable[[object], None]:
    """What writes one field of it, for ``bind_widget``."""

    def write(value: object) -> None:
        session.change(ResultsState, **{field: value})

    return write
