"""A widget's default is its present value, on every page.

The session tells a browser a widget's value once. When two runs follow each other quickly, the browser draws the second
alone, and a widget without that default started empty and sent its emptiness back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1.element_tree import Element

from pages import PAGES
from tests.ui.conftest import Opened

LINK = {
    "prompt": "Two plus two",
    "chat": "1",
    "system": "Be brief.",
    "special": "1",
    "seed": "7",
    "temperature": "0.7",
    "top_k": "12",
    "top_n_sigma": "1.5",
    "logit_bias": "3=1",
    "order": "llama.cpp",
    "new": "5",
    "stop": "END",
    "ignore_eos": "1",
}


def first_value(element: Element) -> object:
    """What a browser that never heard the value would start with."""
    proto: Any = element.proto
    options = list(getattr(proto, "options", ()))
    if element.type in ("selectbox", "radio"):
        return options[proto.default]
    if element.type in ("multiselect", "button_group"):
        return [getattr(options[place], "content", options[place]) for place in proto.default]
    if element.type == "number_input" and not proto.HasField("default"):
        return None  # an empty one
    default = proto.default
    return list(default) if element.type in ("slider", "select_slider") else default


def session_value(element: Element) -> object:
    """The value in the session, in the same words."""
    value: Any = element.value
    proto: Any = element.proto
    options = [getattr(option, "content", option) for option in getattr(proto, "options", ())]
    if element.type in ("multiselect", "button_group"):
        chosen = value if isinstance(value, (list, tuple)) else [value]
        return [options[element.indices[place]] for place in range(len(chosen))]
    if element.type == "selectbox":
        return options[element.index]
    if element.type == "select_slider":
        return [options.index(element.format_func(value))]
    return [value] if element.type == "slider" else value


KINDS = (
    "number_input",
    "text_area",
    "text_input",
    "slider",
    "select_slider",
    "toggle",
    "checkbox",
    "selectbox",
    "multiselect",
    "button_group",
)


@pytest.mark.parametrize("name", PAGES)
def test_a_browser_that_draws_only_the_second_run_starts_with_the_same_values(
    open_app: Callable[..., Opened], name: str
) -> None:
    app = open_app(LINK, run=False)
    app.at.switch_page(f"../../pages/{name}.py")
    app.hold(more_samplers=True, more_endings=True)
    app.run()
    widgets = [
        element for kind in KINDS for element in app.at.get(kind) if isinstance(element, Element) and element.key
    ]
    if name in ("sampling", "generate"):
        assert len(widgets) > 10
    wrong = {e.key: (first_value(e), session_value(e)) for e in widgets if first_value(e) != session_value(e)}
    assert not wrong
