"""The texts behind a figure: one prompt at a time, a setting's samples beside the present one's, with what checks say."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from playground.charts.tune_results import arm_text, value_text
from playground.generation.tree import REASONS
from playground.testtime.registry import make_scorer
from playground.testtime.scoring import ScoringContext
from playground.testtime.types import Candidate
from playground.tuning.examples import Example
from playground.tuning.measures import Measure
from playground.tuning.statistics import Floats
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here
from playground.ui.tune_page.result_values import Values
from playground.ui.visitor import visitor_id

LONGEST_LABEL = 60  # characters of a check, such as a JSON schema


def show_texts(evaluation: Values, measure: Measure, arm: str, chosen: Sequence[int]) -> None:
    """``arm`` beside the present setting on the ``chosen`` prompts, those first where the measure differs most."""
    plan = evaluation.plan
    values, column = evaluation.values[measure.name], plan.arms.index(arm)
    moved = np.nan_to_num(np.abs(values[:, column] - values[:, 0]))
    order = sorted(chosen, key=lambda number: (-moved[number], number))
    labels = {number: _label(number, plan.examples[number], values[number], column) for number in order}
    number = st.selectbox(
        f"Prompt, those first where {escape_markdown(measure.name)} differs most",
        order,
        format_func=lambda place: labels.get(place, ""),
        key="tune_result_prompt",
    )
    if number is None or number not in labels:
        return
    example = plan.examples[number]
    with st.container(border=True):
        if example.system:
            st.caption(f"System: {escape_markdown(example.system)}")
        st.markdown(f"**Prompt** {escape_markdown(example.prompt)}")
        if example.reference:
            st.markdown(f"**Reference** {escape_markdown(example.reference)}")
    sides = [plan.present] if arm == plan.present else [plan.present, arm]
    for place, (side, box) in enumerate(zip(sides, st.columns(len(sides)), strict=True)):
        with box:
            value = value_text(values[number, 0 if place == 0 else column], measure.unit)
            name = escape_markdown(arm_text(side, plan.present))
            st.markdown(f"**{name}** · {escape_markdown(measure.name)} {value}")
            for sample in evaluation.texts.texts[side][number]:
                _text(sample, example)


def _label(number: int, example: Example, row: Floats, column: int) -> str:
    prompt = " ".join(example.prompt.split())[:60]
    there, here = row[0], row[column]
    change = "" if math.isnan(there) or math.isnan(here) else f" · {there:.3g} → {here:.3g}"
    return f"{number + 1}. {prompt}{change}"


def _text(sample: Candidate, example: Example) -> None:
    with st.container(border=True):
        st.markdown(escape_markdown(sample.text) or "*no text*")
        seconds = f", {sample.elapsed_ms / 1000:.1f} s" if sample.elapsed_ms else ""
        st.caption(f"{sample.n_tokens} tokens{seconds}, {REASONS.get(sample.finish_reason, sample.finish_reason)}")
        if example.checks:
            with problems_shown_here():
                st.markdown(
                    "  \n".join(_verdict(label, passed, note) for label, passed, note in _verdicts(sample, example))
                )


def _verdicts(sample: Candidate, example: Example) -> list[tuple[str, bool | None, str]]:
    context = ScoringContext(prompt=example.prompt, reference=example.reference or None, visitor=visitor_id())
    verdicts = []
    for spec in example.checks:
        (score,) = make_scorer(spec)([sample], context)
        verdicts.append((spec.label, score.valid, score.note))
    return verdicts


def _verdict(label: str, passed: bool | None, note: str) -> str:
    mark = {True: ":green-badge[passes]", False: ":red-badge[fails]", None: ":gray-badge[no verdict]"}[passed]
    short = label if len(label) <= LONGEST_LABEL else f"{label[:LONGEST_LABEL]}…"
    return f"{mark} {escape_markdown(short)}" + (f": {escape_markdown(note)}" if note and not passed else "")
