"""What the page Tune can be set to beside the shared setup: which kept tuning is open, and what its maps show."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.charts.tune_reach import ALONG_VIEWS
from playground.errors import BadInput
from playground.sampling.registry import PARAMETERS
from playground.state.link_fields import link_field, one_of, real
from playground.tuning.reach_axes import AXES

_LABELS = {name: PARAMETERS[name].label for name in AXES}
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _read_id(given: str) -> str:
    if given and not _ID.fullmatch(given):
        raise BadInput("The link's tuning is no name of one; none is opened.", "tuning")
    return given


@dataclass(frozen=True, slots=True)
class TuneState:
    """``tuning``: the id of the kept tuning that Results, Judge and Decision show; "" for none.

    Of the map of What settings allow: its axes ``x`` and ``y``, what it shows, the parameter that its slider moves and
    where that stands (None: as in the setting).
    """

    tuning: str = link_field("", _read_id)
    x: str = one_of("top_p", _LABELS, label="Across")
    y: str = one_of("temperature", _LABELS, label="Upwards")
    shows: str = one_of("kept", {name: view.label for name, view in ALONG_VIEWS.items()}, name="map", label="Shown")
    moves: str = one_of("min_p", _LABELS, name="z", label="The slider moves")
    moved: float | None = real(None, -1.0, 1_000.0, name="zat")
