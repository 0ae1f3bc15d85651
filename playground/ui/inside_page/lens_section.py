"""Section "Logit lens": the grid, the cell in view, and one token's way through the layers."""

from __future__ import annotations

from typing import Any

import streamlit as st

from playground.charts.lens_grid import COLOURS, depth_name
from playground.charts.lens_rank import RankData, RankLine, rank_description, rank_figure
from playground.charts.numbers import entropy, percent, scientific
from playground.engine.text.prompt import continuation_ids
from playground.errors import BadPrompt
from playground.glossary import define
from playground.inspection.lens import MAX_POSITIONS, RankPath, lens_cell
from playground.state.inside import InsideState
from playground.ui.components.choice_list import Choice, choice_list
from playground.ui.components.lens_grid import FOLLOWED, lens_grid
from playground.ui.components.live_choice import live_choice
from playground.ui.inside_page.view import LensView, followed_path
from playground.ui.kit import session
from playground.ui.kit.fragments import ADDRESS, PICTURES, rerun_callback
from playground.ui.kit.messages import problems_shown_here, why_it_matters
from playground.ui.kit.pictures import plotly_picture
from playground.ui.kit.session import bind_widget
from playground.ui.workspace.setup import setup

_ANY = "inside_any"


def lens_section(view: LensView) -> None:
    """The whole section. Another colour or another cell asks nothing of the model."""
    _options_row(view)
    lens_grid(
        view.grid,
        f"Logit lens of {view.worker.engine.info.name}",
        key="lens_grid",
        picked=(view.depth, view.position),
        on_pick=rerun_callback(_pick, PICTURES),
    )
    _cap_line(view)
    st.markdown(_headline(view))
    with problems_shown_here():
        _cell(view)
    why_it_matters(
        "A layer writes into a stream that the last norm and the head can read at any depth: **the lens reads it early**. "
        f"The top row is the model's own answer: on this text it differs from the model's logits by at most "
        f"{scientific(view.picture.rows.head_gap)}. What it does NOT show: early layers do not speak "
        "the head's language, so a strange token low down is no thought of the model; a lens trained for each layer "
        "reads more there (Belrose et al. 2023). Method: nostalgebraist 2020."
    )


def _pick(depth: int, position: int) -> None:
    """A cell: its top ten, and the answer's token followed unless another was chosen for this position."""
    chosen = session.get(InsideState)
    change(depth=depth, position=position, follow=chosen.follow if position == chosen.position else None)


def _options_row(view: LensView) -> None:
    chosen, length = session.get(InsideState), len(view.ids)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        live_choice(
            "Colour by",
            {name: colour.label for name, colour in COLOURS.items()},
            name=FOLLOWED,
            value=chosen.colour,
            help=define("Logit lens"),
            key="inside_colour",
            on_choose=rerun_callback(lambda colour: change(colour=colour), ADDRESS),
        )
        if length > MAX_POSITIONS:
            latest = length - MAX_POSITIONS
            st.slider(
                "First position in view",
                0,
                latest,
                view.grid.first,
                key="inside_start",
                width=260,
                on_change=bind_widget("inside_start", view.grid.first, _choose_start),
                help="Another window asks the model; what stands before it is not read again.",
            )


def change(**values: Any) -> None:
    """Replace some fields of the page's state."""
    session.change(InsideState, **values)


def _choose_start(start: int) -> None:
    change(start=start, position=None, follow=None)


def _cap_line(view: LensView) -> None:
    length, window, taken = len(view.ids), view.picture.window, len(setup().taken)
    if taken:
        st.caption(f"With the {taken:,} tokens accepted on the Sampling page.")
    if length > len(window):
        st.caption(
            f"Positions {window.start:,} to {window.stop - 1:,} of {length:,} tokens: the lens looks at {MAX_POSITIONS} "
            "positions at once, and the model still reads all that stands before them."
        )


def _headline(view: LensView) -> str:
    """The cell in view in one line."""
    cell = lens_cell(view.picture, view.depth, view.position)
    token = view.grid.tokens[view.position - view.grid.first]
    leads = int(view.grid.leads_from[view.position - view.grid.first])
    depth = depth_name(view.depth, view.picture.depths)
    return (
        f"**{depth.capitalize()}, after** `{_code(token)}` (position {view.position:,}): entropy {entropy(cell.entropy)}, "
        f"KL to the answer {cell.divergence:.3f} nats. The answer's token leads from "
        f"{depth_name(leads, view.picture.depths)} on."
    )


def _code(text: str) -> str:
    """Text inside a code span: nothing in it can act but the backtick."""
    return text.replace("`", "ˋ")


def _cell(view: LensView) -> None:
    """Left the top ten, right the followed token's ranks."""
    top = lens_cell(view.picture, view.depth, view.position).top
    answer = lens_cell(view.picture, view.picture.depths - 1, view.position).top[0][0]
    followed = session.get(InsideState).follow
    token = answer if followed is None or followed >= view.worker.engine.info.vocab_size else followed
    left, right = st.columns([4, 5], gap="medium")
    with left:
        st.caption("Top ten of this cell. Press one to follow it through the layers.")
        rows = [_choice(view, place, *pair) for place, pair in enumerate(top)]
        ids = [one for one, _share in top]
        choice_list(
            rows,
            key="lens_top",
            label="Top ten tokens of the cell, likeliest first",
            chosen=ids.index(token) if token in ids else -1,
            on_choose=rerun_callback(lambda index: _follow(view.position, ids[index]), PICTURES),
        )
        _any_token(view)
    with right, problems_shown_here():
        _rank_chart(view, token, answer)


def _choice(view: LensView, place: int, token: int, share: float) -> Choice:
    text = view.text_of(token, view.position)
    return Choice(text, percent(share), share, f"rank {place + 1}: {text}, {percent(share)}, id {token}")


def _follow(position: int, token: int) -> None:
    change(position=position, follow=token)


def _any_token(view: LensView) -> None:
    """Any other token, by its text: the first token of it is followed."""
    st.text_input(
        "Follow any token",
        key=_ANY,
        placeholder="a space in front counts",
        max_chars=100,
        on_change=rerun_callback(lambda: _follow_text(view), PICTURES),
    )


def _follow_text(view: LensView) -> None:
    text = st.session_state.get(_ANY) or ""
    try:
        ids = continuation_ids(view.codec, text) if text else ()
    except BadPrompt as error:
        session.note_problem(str(error))
        return
    if ids:
        _follow(view.position, ids[0])


def _rank_chart(view: LensView, token: int, answer: int) -> None:
    lines = [_line(view, followed_path(view, token))]
    if token != answer:
        lines.append(_line(view, followed_path(view, answer)))
    data = RankData(tuple(lines), view.depth, view.worker.engine.info.vocab_size)
    plotly_picture(rank_figure(data), key="lens_rank", alt=rank_description(data))


def _line(view: LensView, path: RankPath) -> RankLine:
    return RankLine(view.text_of(path.token, view.position), path.ranks, path.logprobs, path.leads_from)
