"""A chart of curves or bars drawn by a few lines of script: the Plan pages' hot path.

Streamlit gives a plotly chart a new identity whenever its data change, and the browser builds it anew: its layout alone
takes longer than all else that a moved slider causes. This one is drawn at once, into a picture that stays.
"""

from __future__ import annotations

import streamlit as st

from playground.charts.light import LightChart, light_payload
from playground.ui.components.assets import script, style

_CHART = st.components.v2.component(
    "light_chart",
    html='<div class="legend" aria-hidden="true"></div>\n<div class="light" role="img" tabindex="0"></div>\n'
    '<p class="below"></p>\n',
    css=style("light_chart.css", "card.css"),
    js=script("light_chart.js"),
)


def light_chart(chart: LightChart, *, key: str, alt: str, below: str = "") -> None:
    """Show ``chart``.

    ``alt``: the picture in words and numbers. ``below``: a sentence, as plain text, that changes with the picture. As
    Markdown of its own it would be parsed anew at every move of a slider.
    """
    _CHART(data={**light_payload(chart), "label": alt, "below": below}, key=key)
