"""Section "Compare": up to four pinned settings over the very same logits, and up to three other models on the same text."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playground.charts.compare import (
    NOW,
    CompareData,
    compare_data,
    compare_description,
    compare_figure,
    difference_table,
    settings_words,
)
from playground.charts.palette import PINS
from playground.inspection.partial import verdict_sentence
from playground.sampling.chain import NextToken
from playground.sampling.orders import ORDERS
from playground.sampling.partial_chain import PartialNext
from playground.sampling.settings import SamplerSettings
from playground.state.sampling import Pins
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.sampling_page.models_beside import models_beside
from playground.ui.sampling_page.view import SamplingView
from playground.ui.workspace.beside_loading import named
from playground.ui.workspace.beside_pin import pin_control
from playground.ui.workspace.setup import setup

WIDTHS = {"": 45, "order": 75, "kept": 65, "exp H": 60, "KL, nats": 70, "gained now": 110, "lost now": 110}  # pixels
IN_BOUNDS = {"": 45, "order": 75, "final": 75, "kept": 110, "exp H": 110, "KL, nats": 70}
_IN_BOUNDS = (
    " A bar is solid up to the least final probability and hatched up to the largest. The divergence needs two exact "
    "distributions and is open where one is bounded; in it all tokens not told count as one. Gained and lost: only what is "
    "certain, among the tokens told."
)


def pins() -> Pins:
    """This session's pinned settings by letter."""
    return session.get(Pins)


def compare_section(view: SamplingView) -> None:
    """Buttons to pin, the overlay, and tables of what differs.

    A whole row's bars stand in one picture with those of the models beside; of one told in part the bounds of the settings
    stand in one and the raw probabilities of the models in another.
    """
    if not pins_or_hint(view.setup.settings):
        return
    views = {NOW: view.next} | {letter: view.under(settings) for letter, settings in pins().items()}
    with st.container(key="models_asked"):  # always there: a picture that moves up among its siblings is drawn twice
        beside = models_beside(view)
    whole = isinstance(view.next, NextToken)
    if whole or pins():
        _picture(beside.data(views) if whole and beside.rows else compare_data(views, view.codec), "compare")
        _not_drawn(views)
    if beside.rows and not whole:
        _picture(beside.data(views), "compare_models")
        st.caption("The bars of Now are its probabilities before the samplers, as far as they are told.")
    with st.container(key="models_told"):
        beside.show()
    if pins():
        _settings_table(view, views)


def _picture(data: CompareData, key: str) -> None:
    if data.settings:
        show_figure(compare_figure(data), compare_description(data), key=key)


def _not_drawn(views: Mapping[str, NextToken | PartialNext]) -> None:
    """Why nothing is drawn of a setting of which nothing is known."""
    for name, item in views.items():
        if isinstance(item, PartialNext) and item.trace.unknown:
            which = "Now" if name == NOW else f"Pin {name}"
            st.info(f"**{which}** is not drawn. {escape_markdown(verdict_sentence(item))}")


def _settings_table(view: SamplingView, views: Mapping[str, NextToken | PartialNext]) -> None:
    whole = isinstance(view.next, NextToken)
    st.dataframe(
        difference_table(views, view.codec),
        hide_index=True,
        key="compare_table",
        column_config={
            name: st.column_config.TextColumn(width=width) for name, width in (WIDTHS if whole else IN_BOUNDS).items()
        },
    )
    why_it_matters(
        "KL divergence, KL(now ‖ pin), says how far the present settings are from the pin, in nats: 0 when they are the "
        "same, infinite when the present ones allow a token that the pin forbids. Gained and lost are meant from the pin's "
        f"side to now. exp H: effective choices.{'' if whole else _IN_BOUNDS}",
        "KL divergence",
        "Effective choices",
        "Chain",
        *(() if whole else ("Exact", "Bounded")),
    )


def pins_or_hint(settings: SamplerSettings) -> bool:
    """The buttons, and what to do where nothing is pinned yet; whether anything is, a setting or a model."""
    _buttons(settings)
    if pins() or named():
        return True
    st.info(
        "Nothing is pinned yet. **Pin the present settings**, then move a slider: both are drawn over the same "
        "logits. Or let one click compare the orders of three engines, or pin another model, number format or server."
    )
    return False


def _buttons(settings: SamplerSettings) -> None:
    with st.container(horizontal=True):
        st.button(
            "Pin the present settings",
            icon=":material/keep:",
            on_click=pin,
            args=(settings,),
            disabled=len(pins()) >= len(PINS),
            help="Up to four pins, A to D. Press a pin to let it go."
            if len(pins()) < len(PINS)
            else "Four are pinned.",
        )
        st.button(
            "Compare hf, vllm and llama.cpp",
            icon=":material/swap_vert:",
            on_click=pin_orders,
            help="Pins A, B, C: the present values in the orders of three engines.",
        )
        pin_control()
        for letter, pinned in list(pins().items()):
            st.button(f"✕ {letter}", key=f"unpin_{letter}", on_click=unpin, args=(letter,), help=describe(pinned))


def pin(settings: SamplerSettings) -> None:
    """Keep ``settings`` under the first free letter."""
    free = next((letter for letter in PINS if letter not in pins()), None)
    if free is not None:
        session.put(Pins(sorted((pins() | {free: settings}).items())))


def unpin(letter: str) -> None:
    """Let a pin go; the others keep their letters and colours."""
    session.put(Pins({other: settings for other, settings in pins().items() if other != letter}))


def pin_orders() -> None:
    """Pins A, B, C become the present values in the three engines' orders."""
    settings = setup().settings
    session.put(Pins({letter: settings.replace(order=order) for letter, order in zip(PINS, ORDERS, strict=False)}))


def describe(settings: SamplerSettings) -> str:
    """Settings in a few words, for a hover text."""
    return escape_markdown(settings_words(settings))
