"""PPO's four models and what flows between them, as one drawing."""

from __future__ import annotations

from playground.charts.boxes import HEIGHT, Box, arrow, boxes_svg, note
from playground.charts.palette import INK

_BOXES = {
    "policy": Box(120, 70, "policy, trained"),
    "value": Box(300, 130, "value model, trained"),
    "prompt": Box(0, 70, "prompt", 80),
    "answer": Box(300, 70, "answer"),
    "reward": Box(480, 10, "reward model, frozen"),
    "reference": Box(480, 70, "reference, frozen"),
    "objective": Box(680, 40, "reward − β · KL"),
    "advantage": Box(680, 130, "advantage"),
}
_ARROWS = (
    ("prompt", "policy"),
    ("policy", "answer"),
    ("answer", "reward"),
    ("answer", "reference"),
    ("reward", "objective"),
    ("reference", "objective"),
    ("value", "advantage"),
)


def ppo_svg() -> str:
    """Boxes, arrows, and the way back from the advantage to the policy."""
    back = (
        f'<path d="M750,162 L750,185 L190,185 L190,102" fill="none" stroke="{INK}" marker-end="url(#a)"/>'
        f"{note(355, 189, 'clipped steps')}"
    )
    down = arrow((750, 40 + HEIGHT), (750, 130))
    return boxes_svg((830, 200), _BOXES, _ARROWS, ("policy", "value"), back + down)


PPO_SAID = (
    "PPO: a prompt goes to the policy, which is trained; its answer to a frozen reward model and a frozen reference; reward less "
    "β times the KL, less what the trained value model expected, is the advantage, which moves the policy in clipped steps."
)
