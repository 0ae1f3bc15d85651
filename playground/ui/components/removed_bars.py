"""What each rule removes, redrawn in the browser while a dial is moved whose places have been told beforehand."""

from __future__ import annotations

from collections.abc import Mapping

from playground.charts.filter_bars import RemovedData, RemovedSweep, removed_payload, sweep_payload
from playground.ui.components.declare import Component

_BARS = Component(
    "removed_bars",
    html='<div class="removed">\n'
    '<p class="lead"><strong></strong><span></span></p>\n'
    '<div class="legend" aria-hidden="true"></div>\n'
    '<div class="light" role="img" tabindex="0"></div>\n'
    '<p class="below"></p>\n'
    "</div>\n",
    styles=("light_chart.css", "card.css"),
    script="removed_bars.js",
)
_SWEEPS = Component("dial_sweeps", html="<span hidden></span>\n<!-- nothing to see -->\n", script="dial_sweeps.js")


def removed_bars(data: RemovedData, *, key: str, alt: str) -> None:
    """Show the kept share and a bar a rule."""
    _BARS(data={**removed_payload(data), "label": alt}, key=key)


def dial_sweeps(sweeps: Mapping[str, RemovedSweep], *, key: str) -> None:
    """Tell the browser the counts at each place of the dials in view, by the key of the slider; shows nothing."""
    _SWEEPS(data={"sweeps": {dial: sweep_payload(sweep) for dial, sweep in sweeps.items()}}, key=key)
