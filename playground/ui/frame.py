"""What every page shares: the list of pages, the sidebar, the heading, the "Take away" popover's place.

``pages()`` is the registry of pages. A page script begins with ``heading(...)``; everything else is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.ui import state

_ROOT = Path(__file__).resolve().parents[2]
ICON = str(Path(__file__).with_name("icon.png"))  # a local file: a symbol would be fetched from the internet
# White on the dark theme's accent, which is light enough to be read as text, has too little contrast.
BUTTONS = """<style>[data-testid^="stBaseButton-primary"]:not(:disabled) { background: #5B4FE0; border-color: #5B4FE0; }
[data-testid^="stBaseButton-primary"]:not(:disabled):hover { background: #4A3FC7; }</style>"""
WORDMARK = str(Path(__file__).with_name("wordmark.svg"))


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page: where it stands in the sidebar and what it is for."""

    group: str
    script: str
    title: str
    icon: str
    about: str
    default: bool = False
    needs_model: bool = True  # a page without it never starts loading one


PAGES: dict[str, PageEntry] = {
    "sampling": PageEntry(
        "Choose a word",
        "sampling.py",
        "Sampling",
        ":material/bar_chart:",
        "The next token's whole distribution, live, and what each sampler does to it.",
        default=True,
    ),
    "generate": PageEntry(
        "Choose a word",
        "generate.py",
        "Generate",
        ":material/edit_note:",
        "A whole text with every step recorded: question it, branch from it, compare settings.",
    ),
    "attention": PageEntry(
        "Look inside",
        "attention.py",
        "Attention",
        ":material/grid_on:",
        "Every attention weight of every head on your text: as a map, on the text, and taken apart.",
    ),
    "inside": PageEntry(
        "Look inside",
        "inside.py",
        "Inside the model",
        ":material/layers:",
        "Each layer's own guess, what the model is made of, and what reading and writing cost here.",
    ),
    "best_of_n": PageEntry(
        "Spend compute",
        "best_of_n.py",
        "Best-of-N",
        ":material/dynamic_feed:",
        "N answers to one question, and every way of choosing among them side by side.",
    ),
    "scale_model": PageEntry(
        "Plan",
        "scale_model.py",
        "Model and memory",
        ":material/memory:",
        "Parameters and memory of any model: what fits, and what to change if it does not.",
        needs_model=False,
    ),
    "scale_training": PageEntry(
        "Plan",
        "scale_training.py",
        "Training",
        ":material/factory:",
        "Compute, time, money, energy and CO₂ of a training run.",
        needs_model=False,
    ),
    "scale_laws": PageEntry(
        "Plan",
        "scale_laws.py",
        "Scaling laws",
        ":material/show_chart:",
        "What size and how much data a budget buys, over training and over a model's life.",
        needs_model=False,
    ),
    "scale_serving": PageEntry(
        "Plan",
        "scale_serving.py",
        "Serving",
        ":material/dns:",
        "Speed and price of answering: by roofline, by API, and as measured on this machine.",
        needs_model=False,
    ),
    "scale_data": PageEntry(
        "Plan",
        "scale_data.py",
        "Data and languages",
        ":material/language:",
        "Who is left out of the data, how much of it is left, and what size does not buy.",
        needs_model=False,
    ),
    "glossary": PageEntry(
        "Reference",
        "glossary.py",
        "Glossary",
        ":material/menu_book:",
        "Every term used here, in one plain sentence each.",
        needs_model=False,
    ),
}


def page_of(name: str) -> st.Page:
    """The page as Streamlit knows it, to declare it or to switch to it."""
    entry = PAGES[name]
    return st.Page(
        _ROOT / "pages" / entry.script,
        title=entry.title,
        icon=entry.icon,
        url_path="" if entry.default else name,
        default=entry.default,
        help=entry.about,
    )


def navigation() -> st.Page:
    """Declare all pages to Streamlit and return the one asked for.

    The default page answers at "/" and, hidden from the sidebar, under its own name too.
    """
    groups: dict[str, list[st.Page]] = {}
    for name, entry in PAGES.items():
        groups.setdefault(entry.group, []).append(page_of(name))
        if entry.default:
            script = _ROOT / "pages" / entry.script
            groups[entry.group].append(st.Page(script, title=entry.title, url_path=name, visibility="hidden"))
    return st.navigation(groups, expanded=True)


def open_frame(page: st.Page) -> None:
    """The sidebar's content and the link the reader came by. A page that needs no model never starts loading one."""
    entry = PAGES.get(page.url_path)
    needs_model = entry.needs_model if entry else True
    if needs_model:
        state.adopt_link()
    from playground.ui.model_picker import sidebar_model

    st.html(BUTTONS)
    st.logo(WORDMARK, icon_image=ICON)
    with st.sidebar:
        sidebar_model(needs_model)


def heading(
    name: str,
    sentence: str,
    *,
    experiments: Sequence[tuple[str, str, Callable[[], None]]] = (),
) -> DeltaGenerator:
    """Title, one sentence, the "Try this" row; returns the place at the top right for the page's take-away popover.

    ``experiments`` are (label, what it shows, callback) triples.
    """
    state.page_parts(state.PICTURES, state.CONTROLS)
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.title(PAGES[name].title, anchor=False)
    st.markdown(sentence)
    if experiments:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="try_this"):
            st.markdown("**Try this**", width="content")
            for index, (label, shows, callback) in enumerate(experiments):
                st.button(label, help=shows, on_click=callback, key=f"try_{index}", type="tertiary")
    return right
