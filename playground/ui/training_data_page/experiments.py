"""What the page can be set up for."""

from __future__ import annotations

from playground.ui.kit.page import Experiment

EXPERIMENTS = {
    "popularity": Experiment(
        "Three votes",
        "GPT-2's only filter was popularity.",
        "Only one rule holds: at least 3 votes. The clickbait and the hoax stay, and a lease, a proof and a flood report go. "
        "The sample's votes are made up with it; bring documents with a field votes to see yours.",
        state={"groups": ("popularity",), "group": "popularity", "sliced": "label"},
        section="slices",
    ),
    "languages": Experiment(
        "Not English",
        "English stop words on other languages.",
        "The language filter is off and everything that is not English is removed all the same, by Gopher's stop words alone.",
        state={"groups": ("gopher-quality",), "sliced": "language"},
        section="slices",
    ),
    "fluent": Experiment(
        "Fluent spam",
        "What all usual filters keep.",
        "Choose miracle-tea or moon-hoax in the list: no rule has anything against them. Then have the model read them "
        "in the tab Against the model: it finds them as ordinary as the encyclopedia.",
        state={"shown": "kept"},
        section="filters",
    ),
}
