"""The settings of a training: epochs in view, the rest under a fold. What is refused is said in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from playground.training.settings import DTYPES
from playground.ui.examples_page.session import change_draft, change_settings, draft
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.session import bind_widget

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_WORDS: dict[str, tuple[str, str]] = {
    "epochs": ("Epochs", "Passes over all demonstrations. Few pairs and many passes are learnt by heart."),
    "rank": ("Rank", "How thin the added matrices are: the more, the more can be learnt, and forgotten."),
    "alpha": ("Alpha", "What is added is scaled by alpha / rank."),
    "learning_rate": ("Learning rate", "How far a step moves the adapter; it falls to 0 in a straight line."),
    "batch": ("Rows a step", "How many demonstrations a step is averaged over."),
    "seed": ("Seed", "Which rows are held out, in which order the others come, and where the adapter starts."),
    "heldout_share": ("Held-out share", "Of the rows; they are not taught, only looked at."),
    "most_tokens": ("Most tokens a row", "Longer rows are cut at their end."),
}


def settings_controls() -> None:
    """Name and epochs, and the fold."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="teach_settings"):
        _number("epochs", 1, width=130)
        name = draft().name
        st.text_input(
            "Name",
            name,
            key="teach_name",
            max_chars=80,
            placeholder="what this training is called",
            on_change=bind_widget("teach_name", name, lambda text: change_draft(name=text or "")),
            width="stretch",
        )
    with st.expander("Advanced", icon=":material/tune:", on_change="rerun", key="teach_advanced") as box:
        if box.open:
            _advanced()


def _advanced() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="teach_adapter_settings"):
        _number("rank", 1, width=130)
        _number("alpha", 1.0, width=130)
        _number("learning_rate", 1e-4, width=170, format="%.5f")
        _number("batch", 1, width=130)
    with st.container(horizontal=True, vertical_alignment="bottom", key="teach_row_settings"):
        _number("heldout_share", 0.05, width=150)
        _number("most_tokens", 32, width=170)
        _number("seed", 1, width=130)
        dtype = draft().settings.dtype
        st.selectbox(
            "Number format",
            DTYPES,
            DTYPES.index(dtype),
            key="teach_of_dtype",
            on_change=bind_widget("teach_of_dtype", dtype, lambda new: change_settings(dtype=new)),
            help="Of the frozen weights while training. auto: bfloat16 where the processor computes in it.",
            width=150,
        )
    targets = list(draft().settings.targets)
    st.multiselect(
        "Layers that the adapter is on",
        list(dict.fromkeys([*targets, *TARGETS])),
        targets,
        key="teach_of_targets",
        accept_new_options=True,
        on_change=bind_widget("teach_of_targets", targets, _aim),
        help="By the end of their names. Queries and values are LoRA's own choice; more layers learn more and take longer.",
    )
    why_it_matters(
        "The model's own weights stay as they are; only the adapter's are trained, a few in a thousand. That is what makes it "
        "fit beside the model, and lets it be switched off.",
        "LoRA",
        "Epoch",
        "Learning rate",
    )


def _aim(names: Sequence[str]) -> None:
    change_settings(targets=tuple(names))


def _number(name: str, step: float, **how: Any) -> None:
    label, about = _WORDS[name]
    key, current = f"teach_of_{name}", getattr(draft().settings, name)

    def write(value: float | None) -> None:
        if value is not None:
            change_settings(**{name: int(value) if isinstance(current, int) else float(value)})

    st.number_input(
        label,
        value=current,
        step=type(current)(step),
        key=key,
        help=about,
        on_change=bind_widget(key, current, write),
        **how,
    )
