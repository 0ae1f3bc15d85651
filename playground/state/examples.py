"""What the page Examples can be set to beside the shared setup: how the first tab writes, and which training is open."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.errors import BadInput
from playground.state.link_fields import link_field, one_of, real, whole

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
WAYS = {"likeliest": "Likeliest token each time", "samplers": "As the samplers stand"}
STRONGEST = 1.5


def _read_id(given: str) -> str:
    if given and not _ID.fullmatch(given):
        raise BadInput("The link's training is no name of one; none is opened.", "training")
    return given


@dataclass(frozen=True, slots=True)
class ExamplesState:
    """``training``: the id of the kept training that Train and What moved show; "" for none.

    ``strength``: how much of what it learnt is added, 0 for the model as it was. ``way`` and ``tokens``: how texts are written.
    """

    training: str = link_field("", _read_id)
    strength: float = real(
        1.0,
        0.0,
        STRONGEST,
        step=0.05,
        label="Strength of the adapter",
        help="0: the model as it was. 1: as it was trained. Beyond: what it learnt, exaggerated.",
    )
    way: str = one_of("likeliest", WAYS, label="Written with", name="way")
    tokens: int = whole(40, 8, 200, label="New tokens", name="length")
