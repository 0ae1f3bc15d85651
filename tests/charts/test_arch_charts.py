"""Curves of architectures: units stand on the axes and in the words."""

from __future__ import annotations

import plotly.graph_objects as go

from playground.charts.arch_lines import (
    ArchCurve,
    ArchLines,
    LossCurve,
    lines_description,
    lines_figure,
    training_figure,
)

GROWING = ArchCurve("Transformer", (512.0, 8192.0), (4_194_304.0, 67_108_864.0))


def test_an_axis_has_its_unit_and_its_prefix_together() -> None:
    """ "100m" of seconds can be read as minutes or metres; "100ms" cannot."""
    kept = lines_figure(ArchLines((GROWING,), "context, tokens", "Bytes kept", unit="B"))
    go.Figure(kept.to_plotly_json())  # valid
    assert kept.layout.yaxis.title.text == "Bytes kept" and kept.layout.yaxis.ticksuffix == "B"
    assert "{y:.3s}B" in kept.data[0].hovertemplate


def test_shares_are_percent_on_the_axis_as_in_the_sentence() -> None:
    right = ArchCurve("RNN", (4.0, 8.0), (0.97, 0.65))
    for figure in (
        lines_figure(ArchLines((right,), "length", "accuracy", log=False)),
        training_figure([LossCurve("RNN", (0, 10), (0.1, 0.5))], 10),
    ):
        assert figure.layout.yaxis.tickformat == ".0%" and tuple(figure.layout.yaxis.range) == (-0.03, 1.05)
    assert "RNN 65% at 8" in lines_description(ArchLines((right,), "length", "accuracy", log=False))


def test_the_words_have_units() -> None:
    said = lines_description(ArchLines((GROWING,), "context, tokens", "Bytes kept", unit="B"))
    assert "Transformer 67,108,864 B at 8192" in said, "6.71e+07 before"
    timed = ArchCurve("S4", (512.0,), (0.0123,))
    assert "S4 12 ms at 512" in lines_description(ArchLines((timed,), "context, tokens", "Time to read", unit="s"))
