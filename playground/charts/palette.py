"""The one meaning of each colour. Every colour here is legible on the light and on the dark ground alike."""

from __future__ import annotations

RAW = "#8C919C"  # raw probability: neutral grey
FINAL = "#6A5FEA"  # final probability: the accent
CUT = "#C2410C"  # where the cut-off falls
PINS: dict[str, str] = {"A": "#E69F00", "B": "#56B4E9", "C": "#009E73", "D": "#D55E00"}  # Okabe and Ito
BESIDE: dict[str, str] = {"X": "#CC79A7", "Y": "#0072B2", "Z": "#8C6D00"}  # models beside the one in use
ROOM = "#2A8C82"  # what the people of a room chose, as against the model
GRID = "rgba(140,145,156,0.25)"
INK = "#7D828E"  # axis text where the theme's own cannot reach

# Cividis, ten anchors: one sequential, colour-blind-safe scale for probability and attention.
CIVIDIS = (
    "#00224E",
    "#123570",
    "#3B496C",
    "#575D6D",
    "#707173",
    "#8A8678",
    "#A59C74",
    "#C3B369",
    "#E1CC55",
    "#FEE838",
)


def _channel(text: str) -> int:
    return int(text, 16)


def sequential(fraction: float) -> str:
    """The scale's colour at ``fraction`` in [0, 1], as "#RRGGBB", linear between the anchors."""
    position = min(max(fraction, 0.0), 1.0) * (len(CIVIDIS) - 1)
    low = min(int(position), len(CIVIDIS) - 2)
    share = position - low
    parts = []
    for start in (1, 3, 5):
        first, second = (_channel(CIVIDIS[low + step][start : start + 2]) for step in (0, 1))
        parts.append(round(first + (second - first) * share))
    return "#{:02X}{:02X}{:02X}".format(*parts)


def relative_luminance(colour: str) -> float:
    """WCAG 2.2 relative luminance of "#RRGGBB"."""
    channels = [_channel(colour[start : start + 2]) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio of two colours, from 1 to 21."""
    lighter, darker = sorted((relative_luminance(first), relative_luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(background: str) -> str:
    """Black or white, whichever reads better on ``background``; never below 4.5:1."""
    return "#FFFFFF" if contrast("#FFFFFF", background) >= contrast("#000000", background) else "#000000"
