"""What each rule removes, redrawn in the browser while the dial that was moved last is moved on."""

from __future__ import annotations

from playground.charts.filter_bars import RemovedData, RemovedSweep, removed_payload
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


def removed_bars(data: RemovedData, sweep: RemovedSweep | None, *, key: str, alt: str) -> None:
    """Show the kept share and a bar a rule. ``sweep``: the counts at each place of one dial, whose slider has its name."""
    _BARS(data={**removed_payload(data, sweep), "label": alt}, key=key)
