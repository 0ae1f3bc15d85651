"""How unevenly languages are served: their share of speakers against their share of the web, and tokens for one meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.errors import BadInput
from playground.scaling.figures import Figure, figure
from playground.scaling.quantity import check_number

WORLD_POPULATION = 8_000e6


@dataclass(frozen=True, slots=True)
class Language:
    """``speakers`` in persons; ``web_share`` the fraction of Common Crawl in that language, None where not stated."""

    name: str
    speakers: float
    web_share: float
    source: str


LANGUAGES = (
    Language(
        "English",
        1_452e6,
        0.4588,
        "1,452M speakers: Ethnologue, 25th edition (2022), as public lists quote it; "
        "45.88%: course notes, whose 0.40 is 0.396 rounded",
    ),
    Language("Punjabi", 113e6, 0.000061, "course notes"),
)
MASSIVE_MEDIAN_TOKENS = {"English": 7.0, "Hindi": 32.0, "Burmese": 72.0}  # course notes, on the MASSIVE data set


def under_representation(
    speakers: float, web_share: float, population: float = WORLD_POPULATION, source: str = "course notes"
) -> Figure:
    """Share of the world's people over share of the crawl: 1 is fair, above 1 is under-represented."""
    check_number(population, "population", maximum=1e12)
    check_number(speakers, "speakers", maximum=population)
    check_number(web_share, "share of the crawl", maximum=1.0)
    symbols = {"speakers": (speakers, "person"), "world": (population, "person"), "share": (web_share, "1")}
    return figure("Under-representation", "1", "speakers / world / share", source, **symbols)


def token_ratios(tokens: Sequence[float]) -> tuple[float, ...]:
    """Tokens that each language needs for the same text, relative to the first one: also its price and its wait."""
    if not tokens:
        raise BadInput("Give the tokens of at least one language, the reference first.", "tokens")
    for count in tokens:
        check_number(count, "tokens", maximum=1e12)
    return tuple(count / tokens[0] for count in tokens)
