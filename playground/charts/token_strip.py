"""One token of a strip of tokens, as data: what the strip shows, colours and says. Knows no browser and no page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StripToken:
    """One token as shown. ``label`` is what a screen reader says, the ``lines`` where it is empty; ``lines`` and
    ``table`` fill the hover card.

    ``kind`` is "prompt", "step" (accepted or generated), "ghost" (stepped back over) or "special"; further words may
    follow it: "picked" (chosen by hand), "parted" (where two texts part), "cut" (hidden by a stop string), "forbidden" (a
    setting cannot write it).
    ``background`` and ``ink`` are "#RRGGBB" or "" for the alternating tint. ``breaks`` starts a new line after it.
    """

    text: str
    label: str = ""
    kind: str = "prompt"
    lines: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    background: str = ""
    ink: str = ""
    breaks: bool = False
