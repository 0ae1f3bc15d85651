"""Section "How each remembers": one text, read step by step by small trained models."""

from __future__ import annotations

import numpy as np
import streamlit as st

from playground.architectures.remembering import VIEWS, Trace, read_symbols, remembering_request, spelt, trace
from playground.charts.arch_grid import (
    ArchGrid,
    both_ways_figure,
    grid_description,
    grid_figure,
    token_line_figure,
)
from playground.charts.numbers import scientific
from playground.engine.serving.worker import Worker
from playground.state.architectures import ArchitecturesState
from playground.ui.kit import session
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.kit.places import controls_and_pictures
from playground.ui.kit.widgets import Bound

_WORDS = {
    "attention": "Each line is one position's row: how much it takes from each position before it. Nothing is forgotten; at the "
    "marks the rows find the letters among the points. The cache grows by one key and one value a token.",
    "gru": "One vector holds everything read so far, and every token rewrites all of it a little: the more comes, the less is "
    "left of what came first.",
    "s4": "The kernel says what is left of an input after so many tokens. It is the same for every text: a point moves the "
    "state as much as a letter does, so nothing can be kept by choice.",
    "mamba": "Δ is chosen token by token. Where it is small the gate is closed: exp(ΔA) is near 1, the state stays as it was and "
    "little is written. Where it is large the token is written in. A is fixed; B says where in the state, C what is read out.",
    "rwkv": "Each channel forgets at its own fixed rate, whatever the token; what a token chooses is the weight e^k with which "
    "it comes in, and what the receptance lets out.",
}


def remember_section(_worker: Worker) -> None:
    """The text and the layer on the left, its pictures on the right."""
    bound, chosen = Bound(ArchitecturesState), session.get(ArchitecturesState)
    left, right = controls_and_pictures()
    with left:
        bound.text("text")
        bound.choose("layer")
        st.caption(
            "Each model (width 32, two layers) was trained to write down six letters among points, as under What fits, "
            f"Selective copying, in at most {remembering_request('mamba').steps} steps. The pictures are of its first layer."
        )
    traced = trace(chosen.layer, read_symbols(chosen.text))
    with right:
        _answers(traced)
        _pictures(traced, chosen)
    why_it_matters(
        f"{_WORDS[traced.kind]} These are small models of one task: in a large one the same sums do many things at once, "
        "and a picture of one layer explains no answer."
    )


def _answers(traced: Trace) -> None:
    names = dict(zip(traced.symbols, spelt(traced.symbols), strict=True))
    wanted = "".join(names[symbol] for symbol in traced.right)
    written = "".join(spelt(traced.answers))
    hits = sum(a == b for a, b in zip(traced.right, traced.answers, strict=False))
    right = f" · {hits} of {len(traced.right)} right" if traced.right else ""
    st.markdown(f"To be written: `{wanted or 'nothing'}` · {VIEWS[traced.kind]} writes: `{written}`{right}")
    first, last = traced.bytes[0], traced.bytes[-1]
    grows = f"from {first:,} to {last:,} bytes" if first != last else f"{last:,} bytes, the same after every token"
    st.caption(f"What it keeps of the text, both layers: {grows}.")


def _pictures(traced: Trace, chosen: ArchitecturesState) -> None:
    across = tuple(spelt(traced.symbols))
    for title, values in traced.parts.lines.items():
        st.markdown(f"**{title}**")
        said = f"{title}: largest at token {int(np.argmax(values)) + 1} ({across[int(np.argmax(values))]})."
        show_figure(token_line_figure(values, across, ""), said, key=f"arch_line_{traced.kind}_{title}")
        st.caption(_letters_and_points(traced, values))
    if traced.parts.recurrence is not None and traced.parts.convolution is not None:
        _both_ways(traced, chosen, across)
    for title, values in traced.parts.grids.items():
        square = traced.kind == "attention"
        lines = across if square else ()
        grid = ArchGrid(
            title, values, across, lines, "position" if square else "head" if len(values) <= 8 else "number"
        )
        st.markdown(f"**{title}**")
        show_figure(grid_figure(grid), grid_description(grid), key=f"arch_grid_{traced.kind}_{title}")
    for title, values in traced.parts.rates.items():
        shown = ", ".join(f"{value:.3g}" for value in np.sort(values)[:: max(1, len(values) // 8)])
        st.caption(f"{title}, fixed: {shown}.")


def _letters_and_points(traced: Trace, values: np.ndarray) -> str:
    """Whether letters and points are told apart, in numbers."""
    names = spelt(traced.symbols)
    letters = [float(value) for value, name in zip(values, names, strict=True) if name.isalpha()]
    points = [float(value) for value, name in zip(values, names, strict=True) if name == "·"]
    if not letters or not points:
        return "A text with letters and points shows whether they are told apart."
    return f"Mean of the letters {np.mean(letters):.3g}, of the points {np.mean(points):.3g}."


def _both_ways(traced: Trace, chosen: ArchitecturesState, across: tuple[str, ...]) -> None:
    assert traced.parts.recurrence is not None and traced.parts.convolution is not None
    st.markdown("**One scan, two ways**")
    Bound(ArchitecturesState).slider("channel")
    one, other = traced.parts.recurrence[:, chosen.channel], traced.parts.convolution[:, chosen.channel]
    apart = float(np.abs(traced.parts.recurrence - traced.parts.convolution).max())
    said = (
        f"Channel {chosen.channel}: the recurrence and the convolution differ by at most {scientific(apart)} "
        "over all channels."
    )
    show_figure(both_ways_figure(one, other, across), said, key="arch_both_ways")
    st.caption(
        f"{said} Step by step: h = Āh + B̄u, y = Ch + Du. At once: u convolved with the kernel CĀᵗB̄. The first is how it "
        "writes, the second how it is trained."
    )
