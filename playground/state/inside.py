"""What the page Inside the model can be set to beside the shared setup."""

from __future__ import annotations

from dataclasses import dataclass

from playground.charts.lens_grid import COLOURS
from playground.inspection.timing import LENGTHS
from playground.state.link_fields import one_of, whole

MOST = 10_000_000  # positions, depths, tokens and lengths beyond it are no numbers of a model
TIMING_PICTURES = ("Reading speed", "Reading time", "Writing time", "Cache", "Roofline")
QUICK = LENGTHS[:3]  # what is measured when the section is first opened


@dataclass(frozen=True, slots=True)
class InsideState:
    """``start``: the window's first position (None: the text's end). ``depth``, ``position``: the cell in view (None: the
    answer after the last token). ``follow``: the followed token (None: the answer's). ``ahead``: a prompt length to predict.
    """

    colour: str = one_of("probability", {name: each.label for name, each in COLOURS.items()}, label="Colour by")
    start: int | None = whole(None, 0, MOST, name="from", label="First position in view")
    depth: int | None = whole(None, 0, MOST)
    position: int | None = whole(None, 0, MOST)
    follow: int | None = whole(None, 0, MOST)
    ahead: int = whole(2048, 1, MOST, label="Predict a prompt of")
    picture: str = one_of("Reading speed", {name: name for name in TIMING_PICTURES}, label="Picture", name="chart")


@dataclass(frozen=True, slots=True)
class TimingWanted:
    """What the section Prefill and decode was asked to measure: ``lengths`` anew, one length more to ``check``.

    ``number`` counts the requests, so that a stopped measurement may be asked for once more.
    """

    lengths: tuple[int, ...] | None = None
    check: int | None = None
    number: int = 0
