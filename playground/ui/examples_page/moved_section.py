"""Of tab "What moved": which training it is of, and what is taken along."""

from __future__ import annotations

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.models.adapter_files import adapter_zip
from playground.models.catalogue import CATALOGUE
from playground.training.export import DATA_FILE, trl_code, trl_rows
from playground.training.split import split
from playground.ui.examples_page.moved import Taught, show_moved
from playground.ui.examples_page.steps import TRAIN, not_yet
from playground.ui.examples_page.training_view import training_view
from playground.ui.kit.file_button import file_button


def moved_section(worker: Worker) -> None:
    """Before and after of the training in view."""
    own = training_view()
    kept = own.kept
    if kept is None or kept.folder is None:
        not_yet(
            "The model before and after: its distributions on the same prompts, a held-out answer token by token, what it "
            "forgot, and a slider for how much of what it learnt is added. It needs a training, open or just ended.",
            TRAIN,
        )
        return
    parts = split(own.rows, kept.settings.heldout_share, kept.settings.seed)
    show_moved(
        Taught(
            kept.folder.name,
            kept.summary.name,
            parts.train,
            parts.heldout,
            kept.settings.chat,
            kept.settings.mask_prompt,
        )
    )


def training_export() -> None:
    """The adapter as a PEFT folder, a script that trains the same with TRL, and the demonstrations."""
    own = training_view()
    kept = own.kept
    if kept is None:
        st.caption("Open a training to take its adapter along.")
        return
    name = kept.id[:8]
    if kept.folder is not None:
        folder = kept.folder
        file_button(
            "Adapter (PEFT folder)",
            f"adapter-{name}.zip",
            lambda: adapter_zip(folder),
            "Loads with peft on the same base.",
        )
    model = CATALOGUE[kept.origin.id].hub_id if kept.origin.id in CATALOGUE else kept.origin.id
    settings, rows = kept.settings, own.rows
    file_button(
        "Train the same with TRL",
        f"train-{name}.py",
        lambda: trl_code(model, settings),
        f"A program for TRL's SFTTrainer; it reads {DATA_FILE}.",
    )
    file_button(
        "Demonstrations", DATA_FILE, lambda: trl_rows(rows, chat=settings.chat), "The rows that the program reads."
    )
