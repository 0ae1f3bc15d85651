"""What the Attention page can be set to beside the shared setup. Whether a head exists is known only with a model."""

from __future__ import annotations

from dataclasses import dataclass

from playground.charts.attention_view import SCALES
from playground.inspection.attention import read_selection
from playground.state.link_fields import flag, link_field, one_of, whole

SCORES: dict[str, tuple[str, str]] = {
    "induction": ("Induction", "weight on what followed an earlier occurrence of the query's own token"),
    "previous": ("Previous token", "weight on the token just before the query"),
    "duplicate": ("Duplicate token", "weight on earlier occurrences of the query's own token"),
    "first": ("First token", "weight on the text's first token: the sink"),
    "entropy": ("Entropy", "how widely a query spreads its weight, in nats"),
    "distance": ("Mean distance", "how far back a query looks on average, in tokens"),
}
MEASURED_ON = {"random": "Repeated random tokens", "text": "This text"}
MOST_POSITION = 10_000_000


def _selection(text: str) -> str:
    return read_selection(text).text if text else ""


def _beside(text: str) -> str:
    return "" if text.startswith("[") else _selection(text)  # a link from before names models so


@dataclass(frozen=True, slots=True)
class AttentionState:
    """``heads`` and ``beside`` are selections as text (see ``inspection.attention``); "" means the page's own choice,
    and nothing beside. ``width`` 0: as many positions as fit. ``query`` -1: the window's last. ``depth`` -1: the last layer.
    """

    heads: str = link_field("", _selection)
    beside: str = link_field("", _beside)
    scale: str = one_of("linear", {name: name for name in SCALES}, name="colours")
    hide_first: bool = flag()
    start: int = whole(0, 0, MOST_POSITION)
    width: int = whole(0, 0, MOST_POSITION)
    query: int = whole(-1, 0, MOST_POSITION)
    score: str = one_of("induction", {name: label for name, (label, _means) in SCORES.items()}, label="Coloured by")
    measured_on: str = one_of("random", MEASURED_ON, name="on", label="Measured on")
    depth: int = whole(-1, 0, MOST_POSITION)
