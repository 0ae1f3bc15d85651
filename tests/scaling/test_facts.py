"""The figures of the page's explanations are the sources' own."""

from __future__ import annotations

import pytest

from playground.scaling.facts import scaling_topics


def test_topics() -> None:
    topics = {topic.name: {figure.name: figure.value for figure in topic.figures} for topic in scaling_topics()}
    assert set(topics) == {"Data", "Electricity", "Hyperparameter transfer", "Inverse scaling"}
    assert topics["Data"]["Books in RedPajama-v2"] == pytest.approx(450e6, rel=0.01)  # the notes' own round number
    assert topics["Electricity"]["Growth over six years"] == pytest.approx(2.28, abs=0.01)
    assert topics["Hyperparameter transfer"]["Times larger"] == pytest.approx(167.5)
    assert topics["Hyperparameter transfer"]["Runs to try two values of each of ten settings"] == 1024
    for topic in scaling_topics():
        assert topic.lesson.endswith(".") and all(figure.source for figure in topic.figures)
