"""From answers to votes, and the two ways on from there, as one drawing: what the page Preferences does."""

from __future__ import annotations

from playground.charts.boxes import HEIGHT, Box, boxes_svg, note

_BOXES = {
    "answers": Box(0, 126, "two answers", 110),
    "vote": Box(150, 126, "votes: A is better", 130),
    "strengths": Box(330, 4, "strengths: who wins how often", 240),
    "groups": Box(330, 86, "whose preference? groups apart", 240),
    "reward": Box(330, 168, "reward model: a number for any answer", 240),
    "dpo": Box(330, 250, "DPO: the model itself is taught", 240),
    "over": Box(620, 168, "best-of-N keeps the highest", 190),
    "model": Box(620, 250, "it answers differently", 190),
}
_BELOW = {
    "answers": "to one prompt",
    "vote": "or B, a tie, both bad",
    "strengths": "Bradley–Terry, Elo: of these answers only",
    "groups": "what one averaged reward hides",
    "reward": "learnt from the votes, tried on unseen ones",
    "dpo": "no reward model between",
    "over": "until the reward is fooled",
    "model": "and moves from where it began",
}
_ARROWS = (
    ("answers", "vote"),
    ("vote", "strengths"),
    ("vote", "groups"),
    ("vote", "reward"),
    ("vote", "dpo"),
    ("reward", "over"),
    ("dpo", "model"),
)


def ways_svg(here: str) -> str:
    """``here``: the box that is in view, by its name."""
    below = "".join(note(box.x + box.width / 2, box.y + HEIGHT + 17, _BELOW[name]) for name, box in _BOXES.items())
    return boxes_svg((812, 306), _BOXES, _ARROWS, (here,), below)


def ways_description(here: str) -> str:
    """The drawing in words."""
    return (
        "Two answers are voted on. Votes give strengths, of all voters or of groups apart, a reward model that gives any answer "
        "a number and by which best-of-N keeps the highest, and DPO, which teaches the model itself. In view: "
        f"{_BOXES[here].label}."
    )
