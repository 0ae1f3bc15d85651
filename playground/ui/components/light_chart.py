"""A chart of curves or bars drawn by a few lines of script: the Plan pages' hot path.

Streamlit gives a plotly chart a new identity whenever its data change, and the browser builds it anew: its layout alone
takes longer than all else that a moved slider causes. This one is drawn at once, into a picture that stays.
"""

from __future__ import annotations

from playground.charts.light import LightChart, light_payload
from playground.ui.components.declare import Component

_CHART = Component(
    "light_chart",
    html='<p class="lead"><strong></strong><span></span></p>\n'
    '<div class="legend" aria-hidden="true"></div>\n'
    '<div class="light" role="img" tabindex="0"></div>\n'
    '<p class="below"></p>\n',
    styles=("light_chart.css", "card.css"),
    script="light_chart.js",
)


def light_chart(chart: LightChart, *, key: str, alt: str, lead: tuple[str, str] = ("", ""), below: str = "") -> None:
    """Show ``chart``.

    ``alt``: the picture in words and numbers. ``lead`` (in bold, and plain after it) stands above and ``below`` below the
    picture: sentences, as plain text, that change with it. As Markdown of their own they would be parsed anew at every
    move of a slider.
    """
    _CHART(data={**light_payload(chart), "label": alt, "lead": lead, "below": below}, key=key)
