"""What the tab Results gives away: its figures and all texts, as CSV."""

from __future__ import annotations

import math

import streamlit as st

from playground.downloads import csv_text, harmless
from playground.tuning.running import plan_places
from playground.tuning.runs import KeptTuning
from playground.ui.kit.file_button import file_button
from playground.ui.tune_page.result_values import last_values
from playground.ui.tune_page.tuning_view import view_tuning


def results_export() -> None:
    """Files, once there is something in them."""
    kept = view_tuning()
    if kept is None or not kept.texts:
        st.caption("Files come with the first texts.")
        return
    file_button("All texts as CSV", "texts.csv", lambda: _texts(kept), "One line a text, with its setting and prompt.")
    if last_values() is not None:
        file_button("Figures as CSV", "figures.csv", _figures, "One line a prompt and setting, a column a measure.")


def _texts(kept: KeptTuning) -> str:
    places, plan = plan_places(kept.plan), kept.plan
    head = ("example", "setting", "sample", "prompt", "text", "tokens", "seconds", "ended")
    lines = []
    for place in sorted(kept.texts):
        (example, arm, sample), own = places[place], kept.texts[place]
        seconds = round(own.elapsed_ms / 1000, 3) if own.elapsed_ms else ""
        prompt, text = harmless(plan.examples[example].prompt), harmless(own.text)
        lines.append((example + 1, harmless(arm), sample + 1, prompt, text, own.n_tokens, seconds, own.finish_reason))
    return csv_text(head, lines)


def _figures() -> str:
    evaluation = last_values()
    if evaluation is None:
        return ""
    lines = []
    for number, example in enumerate(evaluation.plan.examples):
        for column, arm in enumerate(evaluation.plan.arms):
            row = [float(evaluation.values[measure.name][number, column]) for measure in evaluation.measures]
            own = ["" if math.isnan(value) else value for value in row]
            lines.append(
                (number + 1, harmless(arm), harmless(example.prompt), ";".join(map(harmless, example.tags)), *own)
            )
    return csv_text(
        ("example", "setting", "prompt", "tags", *(harmless(each.name) for each in evaluation.measures)), lines
    )
