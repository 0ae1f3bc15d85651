"""What the Sampling page can be set to beside the shared setup: how the bars are drawn, the looked-up word, the pins."""

from __future__ import annotations

from dataclasses import dataclass

from playground.sampling.settings import SamplerSettings
from playground.state.link_fields import one_of, text, whole


@dataclass(frozen=True, slots=True)
class SamplingState:
    """``rows`` bars; ``word`` is looked up in "Any word"."""

    rows: int = whole(15, 5, 100, label="Rows")
    scale: str = one_of("linear", {"linear": "linear", "log": "log"}, label="Scale")
    shape: str = one_of("chart", {"chart": "chart", "table": "table"}, label="View", name="as")
    word: str = text(
        " Paris",
        200,
        label="Any word",
        help="A leading space matters: most words are a different token with it.",
    )


class Pins(dict[str, SamplerSettings]):
    """Up to four pinned settings by letter, A to D. Shared by Sampling and Generate; a link does not carry them."""
