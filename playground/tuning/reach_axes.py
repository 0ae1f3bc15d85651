"""The axes of a reach map: ten values of each parameter that moves a boundary in sorted rows, and the settings of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile

from playground.sampling.registry import PARAMETERS, SAMPLERS
from playground.sampling.settings import SamplerSettings
from playground.tuning.cuts import CUTS
from playground.tuning.reach_map import looks_back

_TENTHS = tuple(round(step / 10, 1) for step in range(1, 11))
_FIFTHS = tuple(round(step / 5, 1) for step in range(1, 11))
_SMALL = (0.0, 1e-4, 3e-4, 6e-4, 1e-3, 2e-3, 4e-3, 6e-3, 8e-3, 1e-2)

AXES: Mapping[str, tuple[float, ...]] = {
    "temperature": _FIFTHS,
    "top_p": _TENTHS,
    "top_k": (1, 2, 5, 10, 20, 40, 80, 160, 400, 0),
    "min_p": (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5),
    "top_n_sigma": (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, -1.0),
    "top_h": _TENTHS,
    "epsilon_cutoff": _SMALL,
    "eta_cutoff": _SMALL,
    "dynatemp_range": (0.0, *_FIFTHS[:9]),
    "dynatemp_exponent": (0.1, 0.3, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0),
}
"""By parameter, from the narrowest to the widest where it cuts; off, where it has such a value, at its own end."""


@dataclass(frozen=True, slots=True)
class Grid:
    """``settings``: one a cell, the rows ``ys`` one after the other, each over ``xs``. ``own``: the cell (row, column) of
    the settings that the grid was laid around. ``left_out``: labels of samplers of theirs that no map can follow.
    """

    x: str
    y: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    settings: tuple[SamplerSettings, ...]
    own: tuple[int, int]
    left_out: tuple[str, ...]


def grid_around(settings: SamplerSettings, x: str, y: str, moved: Mapping[str, float]) -> Grid:
    """A grid over two parameters of ``AXES``, the others as in ``settings`` but for what is ``moved``.

    The nearest value of each axis gives way to the settings' own, so that they are on the map.
    """
    base, left_out = map_base(settings)
    base = base.replace(**{name: _typed(name, value) for name, value in moved.items()})
    (xs, column), (ys, row) = (_axis(name, float(getattr(base, name))) for name in (x, y))
    cells = tuple(
        base.replace(**{y: _typed(y, high), x: _typed(x, wide)} if x != y else {x: _typed(x, wide)})
        for high in ys
        for wide in xs
    )
    return Grid(x, y, xs, ys, cells, (row, column), left_out)


def map_base(settings: SamplerSettings) -> tuple[SamplerSettings, tuple[str, ...]]:
    """The settings without samplers that only the chain itself can run, and the labels of those."""
    lead = tuple(takewhile(looks_back, settings.active()))
    slow = [name for name in settings.active() if name not in CUTS and name not in lead]
    neutral = {each.name: each.neutral for name in slow for each in SAMPLERS[name].parameters}
    return settings.replace(**neutral), tuple(SAMPLERS[name].label for name in slow)


def _axis(name: str, own: float) -> tuple[tuple[float, ...], int]:
    values = AXES[name]
    place = min(range(len(values)), key=lambda index: abs(values[index] - own))
    return (*values[:place], own, *values[place + 1 :]), place


def _typed(name: str, value: float) -> float | int:
    return int(value) if PARAMETERS[name].kind == "int" else float(value)
