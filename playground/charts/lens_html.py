"""The lens's grid as one HTML file that opens offline: no script, no request, every text escaped."""

from __future__ import annotations

from html import escape

from playground.charts.lens_grid import COLOURS, LensGridData, depth_name, legend, lens_description, shade_table, shades
from playground.charts.numbers import percent

_STYLE = """
:root { color-scheme: light dark; } body { font: 16px/1.5 system-ui; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; }
.wide { overflow-x: auto; } table { border-collapse: separate; border-spacing: 1px; font: 0.75rem ui-monospace, monospace; }
th { text-align: left; font-weight: 700; white-space: pre; padding: 0 0.4rem; }
td { padding: 0.1rem 0.3rem; white-space: pre; max-width: 9rem; overflow: hidden; text-overflow: ellipsis; }
td.leads { font-weight: 700; text-decoration: underline; } td:focus { outline: 3px solid; }
"""
_HEAD = (
    "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
    "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    "<meta name=viewport content='width=device-width'>"
)


def lens_page(data: LensGridData, colour: str, model: str) -> str:
    """The whole page, the answer in the first row."""
    chosen, stops = COLOURS[colour], ", ".join(legend(colour)["stops"])
    heads = "".join(f"<th>{escape(token)}</th>" for token in data.tokens)
    places, palette = shades(data, colour), shade_table()
    lines = [_line(data, places, palette, depth) for depth in reversed(range(data.depths))]
    return "\n".join(
        [
            _HEAD,
            f"<title>Logit lens of {escape(model)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>Logit lens of {escape(model)}</h1><p>{escape(lens_description(data).split(' Arrow keys')[0])}</p>",
            f"<p><b>{chosen.label}</b>: {chosen.low} <span role=img aria-label='colour scale' style='display:inline-block;"
            f"width:9rem;height:0.7rem;background:linear-gradient(90deg, {stops})'></span> {chosen.high}. Shows "
            f"{chosen.means}. Underlined: from here on the answer's own token.</p>",
            f"<div class=wide><table><tr><th>after reading</th>{heads}</tr>",
            *lines,
            "</table></div></body></html>\n",
        ]
    )


def _line(data: LensGridData, shades: list[int], palette: list[list[str]], depth: int) -> str:
    cells, columns = [], len(data.tokens)
    for place, text in enumerate(data.tops[depth]):
        shade = shades[depth * columns + place]
        ground, ink = palette[shade] if shade >= 0 else ("", "")
        style = f' style="background:{ground};color:{ink}"' if ground else ""
        leads = ' class="leads"' if depth >= data.leads_from[place] else ""
        said = (
            f"{percent(float(data.probabilities[depth, place]))}; entropy {data.entropies[depth, place]:.3f} nats; "
            f"KL to the answer {data.divergences[depth, place]:.3f} nats"
        )
        cells.append(f'<td tabindex=0{leads}{style} title="{escape(said)}">{escape(text)}</td>')
    return f"<tr><th>{escape(depth_name(depth, data.depths))}</th>{''.join(cells)}</tr>"
