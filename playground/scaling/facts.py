"""What bounds scaling beside money, as figures with sources: data, electricity, tuning, and tasks that get worse.

Nothing here is computed from a model; a page shows the figures and what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.scaling.figures import Figure, figure, given

NOTES = "course notes"


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing to know. ``lesson`` is one sentence; ``figures`` the numbers behind it."""

    name: str
    lesson: str
    figures: tuple[Figure, ...]


def scaling_topics() -> tuple[Topic, ...]:
    """Data, electricity, hyperparameter transfer and inverse scaling."""
    return (_data(), _electricity(), _transfer(), _inverse())


def _data() -> Topic:
    corpus = (30e12, "token")
    return Topic(
        "Data",
        "Public text is finite and closing, and what is scraped now holds ever more machine-written text.",
        (
            given("Training tokens of Llama 1", 1.4e12, "token", "2302.13971"),
            given("Training tokens of Llama 2", 2e12, "token", "2307.09288"),
            given("Training tokens of Llama 3", 15e12, "token", "2407.21783"),
            figure("Books in RedPajama-v2", "1", "corpus / book", NOTES, corpus=corpus, book=(67e3, "token")),
            given("Share of C4's most critical sources now restricted", 0.28, "1", "Longpre et al. 2024, 2407.14933"),
            given("Share of C4 restricted by terms of service", 0.45, "1", "Longpre et al. 2024, 2407.14933"),
        ),
    )


def _electricity() -> Topic:
    source = "IEA, Energy and AI, 2025"
    before, after = (415e9, "kWh"), (945e9, "kWh")
    return Topic(
        "Electricity",
        "Data centres can grow only as fast as grids do, which leaves one order of magnitude and not many.",
        (
            given("Data centres in 2024", before[0], "kWh", source),
            given("Data centres in 2030, expected", after[0], "kWh", source),
            figure("Growth over six years", "1", "after / before", source, before=before, after=after),
            figure("World's use over data centres' share", "1", "1 / share", source, share=(0.015, "1")),
        ),
    )


def _transfer() -> Topic:
    source = "Yang et al. 2022, 2203.03466 (Tensor Programs V)"
    proxy, target = (40e6, "param"), (6.7e9, "param")
    return Topic(
        "Hyperparameter transfer",
        "Settings tuned on a small model carry over to a large one if widths are parametrised for it.",
        (
            given("Proxy model", proxy[0], "param", source),
            given("Target model", target[0], "param", source),
            figure("Times larger", "1", "target / proxy", source, target=target, proxy=proxy),
            figure("Runs to try two values of each of ten settings", "1", "2 ^ n", "arithmetic", n=(10.0, "1")),
        ),
    )


def _inverse() -> Topic:
    source = "McKenzie et al. 2023, 2306.09479 (Inverse Scaling Prize)"
    return Topic(
        "Inverse scaling",
        "On some tasks larger models do worse, mostly those with a strong prior or memorised text to resist.",
        (
            given("Tasks that won a third prize", 11.0, "1", source),
            given("Tasks that won a first or second prize", 0.0, "1", source),
        ),
    )
