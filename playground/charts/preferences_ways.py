"""From answers to votes, and the two ways on from there, as one drawing: what the page Preferences does."""

from __future__ import annotations

from playground.charts.boxes import Box, boxes_svg

_BOXES = {
    "answers": Box(0, 60, "two answers", 110),
    "vote": Box(150, 60, "votes: A is better", 130),
    "strengths": Box(330, 0, "strengths: who wins how often", 190),
    "reward": Box(330, 60, "reward model: a number for any answer", 240),
    "dpo": Box(330, 120, "DPO: the model itself is taught", 240),
    "over": Box(620, 60, "best-of-N keeps the highest", 190),
    "model": Box(620, 120, "it answers differently", 190),
}
_ARROWS = (
    ("answers", "vote"),
    ("vote", "strengths"),
    ("vote", "reward"),
    ("vote", "dpo"),
    ("reward", "over"),
    ("dpo", "model"),
)


def ways_svg(here: str) -> str:
    """``here``: the box that is in view, by its name."""
    return boxes_svg((812, 154), _BOXES, _ARROWS, (here,))


def ways_description(here: str) -> str:
    """The drawing in words."""
    return (
        "Two answers are voted on. Votes give strengths, a reward model that gives any answer a number and by which best-of-N "
        f"keeps the highest, and DPO, which teaches the model itself. In view: {_BOXES[here].label}."
    )
