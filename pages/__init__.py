"""The pages, in the order of the sidebar. A new page is one file here and its name in ORDER."""

from __future__ import annotations

from importlib import import_module

from playground.ui.frame import show
from playground.ui.kit.page import PageSpec

ORDER = (
    "room",
    "sampling",
    "generate",
    "attention",
    "inside",
    "architectures",
    "best_of_n",
    "teach_examples",
    "teach_preferences",
    "tune",
    "data_languages",
    "data_training",
    "data_domains",
    "scale_model",
    "scale_training",
    "scale_laws",
    "scale_serving",
    "scale_data",
    "glossary",
)
PAGES: dict[str, PageSpec] = {name: import_module(f"pages.{name}").PAGE for name in ORDER}


def show_page(name: str) -> None:
    """What a page's own script runs."""
    show(PAGES[name])
