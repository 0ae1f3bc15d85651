"""The left third below the prompt: which heads, which colours, the first token, the window."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import streamlit as st

from playground.charts.attention_view import SCALES
from playground.charts.numbers import gigabytes
from playground.engine.attention_data import MAX_PASS_BYTES, pass_bytes
from playground.glossary import define
from playground.inspection.attention import REDUCTIONS, Selection, layer_of, read_selection
from playground.ui.attention_page.view import (
    EVERYTHING,
    MOST_SHOWN,
    OVERVIEW,
    SHOWN,
    AttentionPageView,
    PageText,
    bind_fields,
    change,
    load_view_or_nothing,
    options,
    widest,
)
from playground.ui.components.live_choice import live_choice
from playground.ui.kit.fragments import ADDRESS, CONTROLS, PICTURES, rerun_callback
from playground.ui.kit.messages import escape_markdown

KINDS = {"one": "Head", "several": "Several", "layer": "Layer", "all": "All"}
MOST_FOUND = 8


def attention_controls() -> None:
    """Nothing while there is nothing to look at: the pictures say why."""
    view = load_view_or_nothing(CONTROLS)
    if view is None:
        return
    _heads(view)
    _beside(view)
    _colours(view)
    _window(view)


def _present(view: AttentionPageView) -> Selection:
    """What is chosen now: a callback may come long after this part of the page was drawn."""
    return read_selection(options().heads) if options().heads else view.selection


def _choose(view: AttentionPageView, **fields: Any) -> None:
    now = _present(view)
    layer, heads, how = (fields.get(name, getattr(now, name)) for name in ("layer", "heads", "how"))
    if layer is not None:  # a layer may have fewer heads than the last
        count = layer_of(view.attention, layer).heads
        heads = tuple(dict.fromkeys(min(head, count - 1) for head in heads))
    change(heads=Selection(layer, heads, how).text)


def _kind(chosen: Selection) -> str:
    if chosen.layer is None:
        return "all"
    return "layer" if not chosen.heads else "one" if chosen.single else "several"


def _set_kind(view: AttentionPageView, kind: str) -> None:
    now = _present(view)
    layer = now.layer if now.layer is not None else view.attention.layers[0].index
    head = now.heads[0] if now.heads else 0
    last = layer_of(view.attention, layer).heads - 1
    both = tuple(dict.fromkeys((head, head + 1 if head < last else max(head - 1, 0))))
    heads = {"one": (head,), "several": both, "layer": (), "all": ()}[kind]
    change(heads=Selection(None if kind == "all" else layer, heads, now.how).text)


def _heads(view: AttentionPageView) -> None:
    chosen = view.selection
    kind = _kind(chosen)
    st.segmented_control(
        "Show",
        list(KINDS),
        format_func=KINDS.__getitem__,
        default=kind,
        key="attention_kind",
        required=True,
        help=define("Attention head"),
        on_change=bind_fields("attention_kind", kind, lambda to: _set_kind(view, to), *SHOWN),
    )
    layers = [layer.index for layer in view.attention.layers]
    if chosen.layer is not None:
        _layer_and_heads(view, kind, layers, chosen.layer)
    if kind != "one":
        st.segmented_control(
            "Merged by",
            REDUCTIONS,
            default=chosen.how,
            key="attention_how",
            required=True,
            on_change=bind_fields("attention_how", chosen.how, lambda to: _choose(view, how=to), PICTURES),
        )


def _layer_and_heads(view: AttentionPageView, kind: str, layers: list[int], layer: int) -> None:
    heads = layer_of(view.attention, layer).heads
    if len(layers) > 1:
        st.select_slider(
            "Layer",
            layers,
            value=layer,
            key="attention_layer",
            on_change=bind_fields("attention_layer", layer, lambda to: _choose(view, layer=int(to)), PICTURES),
        )
    if kind == "one" and heads > 1:
        head = view.selection.heads[0]
        st.slider(
            "Head",
            0,
            heads - 1,
            value=head,
            key="attention_head",
            on_change=bind_fields("attention_head", head, lambda to: _choose(view, heads=(int(to),)), PICTURES),
        )
    elif kind == "several":
        several = list(view.selection.heads)
        st.multiselect(
            "Heads",
            list(range(heads)),
            default=several,
            key="attention_heads",
            on_change=bind_fields(
                "attention_heads", several, lambda to: _choose(view, heads=tuple(to) or (several[0],)), *SHOWN
            ),
        )


def _beside(view: AttentionPageView) -> None:
    """A second heatmap: what is shown now stays at the right while another is chosen."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Keep beside",
            icon=":material/splitscreen_right:",
            key="attention_keep",
            on_click=rerun_callback(lambda: change(beside=_present(view).text), *SHOWN),
            help="Keep what is shown now at the right, then choose another head to compare it with.",
        )
        if view.beside is not None:
            st.button(
                escape_markdown(f"Remove {view.beside.title}"),
                icon=":material/close:",
                key="attention_drop",
                type="tertiary",
                on_click=rerun_callback(lambda: change(beside=""), *SHOWN),
            )


def _colours(view: AttentionPageView) -> None:
    hide = view.options.hide_first
    live_choice(
        "Colours",
        {name: name for name in SCALES},
        name="attention-colours",
        value=view.options.scale,
        help="; ".join(f"{name}: {means}" for name, means in SCALES.items()) + ".",
        key="attention_scale",
        on_choose=rerun_callback(lambda scale: change(scale=scale), ADDRESS),
    )
    st.toggle(
        "Hide the first token",
        value=hide,
        key="attention_hide",
        on_change=bind_fields("attention_hide", hide, lambda to: change(hide_first=to), PICTURES, OVERVIEW),
        help=define("Attention sink") + " Hidden, the rest of each row is renormalised to 100%.",
    )


def _window(view: AttentionPageView) -> None:
    """Only for what does not fit: a slider, a search, and what the cap is."""
    text, info = view.text, view.info
    length, most = len(text.ids), widest(info, len(text.ids))
    if length == 1 or (length <= most and not (view.options.start or view.options.width)):
        st.caption(f"{length:,} token{'s' * (length > 1)}, all in view. {_memory_words(view)}")
        return
    place, width = text.start, text.end - text.start
    st.slider(
        "Window begins at",
        0,
        length - 1,
        value=place,
        key="attention_start",
        on_change=bind_fields("attention_start", place, lambda to: change(start=int(to)), *EVERYTHING),
    )
    wanted = min(view.options.width or most, most)
    st.number_input(
        "Tokens in view",
        1,
        most,
        value=wanted,
        step=1,
        key="attention_width",
        on_change=bind_fields("attention_width", wanted, lambda to: change(width=int(to or 0)), *EVERYTHING),
    )
    st.caption(
        f"Tokens {text.start:,} to {text.end - 1:,} of {length:,}: {width:,} in view. {_memory_words(view)} The whole text "
        f"would take {gigabytes(pass_bytes(info, length, length))}; the cap is {gigabytes(MAX_PASS_BYTES)} and "
        f"{MOST_SHOWN} tokens, so at most {most:,} here."
    )
    _search(text)


def _memory_words(view: AttentionPageView) -> str:
    return f"Their weights take {view.attention.bytes / 1e6:,.1f} MB."


def _search(text: PageText) -> None:
    """Find a word and move the window there."""
    wanted = st.text_input("Find in the text", key="attention_find", placeholder="a word or part of one", max_chars=200)
    if not wanted:
        return
    places = find_tokens(text.pieces, wanted)
    if not places:
        st.caption(f"“{escape_markdown(wanted)}” is not in the text.")
        return
    st.caption(f"{len(places):,} places" + (f", the first {MOST_FOUND}:" if len(places) > MOST_FOUND else ":"))
    with st.container(horizontal=True, gap="small"):
        for place in places[:MOST_FOUND]:
            st.button(str(place), key=f"attention_found_{place}", type="tertiary", on_click=_go_to(place))


def _go_to(place: int) -> Callable[[], None]:
    def go() -> None:
        change(start=max(place - 8, 0), query=place)

    return rerun_callback(go, *EVERYTHING)


def find_tokens(texts: tuple[str, ...], wanted: str) -> list[int]:
    """The tokens in which ``wanted`` begins, each once; upper and lower case are the same."""
    ends = list(accumulate(len(text.casefold()) for text in texts))
    whole, needle = "".join(text.casefold() for text in texts), wanted.casefold()
    tokens: list[int] = []
    at = whole.find(needle)
    while at >= 0 and len(tokens) < 10_000:
        token = bisect_right(ends, at)
        if not tokens or tokens[-1] != token:
            tokens.append(token)
        at = whole.find(needle, at + 1)
    return tokens
