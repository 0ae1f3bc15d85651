"""Section "Parameters": the treemap, the formula, sparsity, and the count on torch's meta device on request."""

from __future__ import annotations

import json
from collections.abc import Mapping

import streamlit as st

from playground.charts.scale_treemap import treemap_description, treemap_figure
from playground.plan.answers import config_of, count_of, spec_of
from playground.plan.counting import Counting
from playground.plan.model_pictures import parameter_rows, treemap_data
from playground.plan.scenarios import Scenarios, titled
from playground.plan.setup import CUSTOM
from playground.scaling.configs import load_preset
from playground.scaling.meta import MetaCount
from playground.ui.kit import jobs, session
from playground.ui.kit.jobs import Pending
from playground.ui.kit.messages import escape_markdown, problems_shown_here, why_it_matters
from playground.ui.kit.pictures import plotly_picture
from playground.ui.scale_page.figure_table import figure_table


def parameters_section(scenarios: Scenarios) -> None:
    """Components as areas; the same total twice, from the formula and from the built model."""
    setup = scenarios.now
    spec, data = spec_of(setup), treemap_data(setup)
    plotly_picture(treemap_figure(data), key="scale_treemap", alt=treemap_description(data))
    if setup.config != CUSTOM:
        preset = load_preset(setup.config)
        st.caption(escape_markdown(f"Sizes: {preset.source}. Checked against: {preset.checked}."))
    columns = {titled(letter): rows for letter, rows in scenarios.each(parameter_rows)}
    figure_table(columns, key="scale_parameters", label="Parameters and their formulas")
    if spec.assumed:
        left_out = ", ".join(f"{key} {value:,}" for key, value in spec.assumed)
        st.caption(escape_markdown(f"Not in the config, so transformers' own defaults: {left_out}."))
    for note in spec.notes:
        st.caption(escape_markdown(note))
    if not spec.counted:
        st.markdown(f"**Checked against the built model**: {escape_markdown(spec.name)}")
        with problems_shown_here():
            _meta_count(config_of(setup), count_of(setup).total)
    why_it_matters(
        "Sparsity here is the share of parameters that one token does not touch. It saves arithmetic, not memory: in the "
        "usual dense format zeros and idle experts take as much room as any others."
    )


class _Counts(dict[str, Counting]):
    """This session's counts by config."""


def _meta_count(config: Mapping[str, object], expected: int) -> None:
    """A button; then progress; then the count, and whether it agrees with the formula."""
    counts, name = session.get(_Counts), json.dumps(dict(config), sort_keys=True)
    counting = counts.get(name)
    if counting is None:
        st.button(
            "Count on the meta device",
            key="scale_meta_config",
            icon=":material/calculate:",
            on_click=lambda: counts.update({name: Counting(config)}),
            help="Builds the model in transformers without its weights, which takes seconds, and counts it.",
        )
    elif not jobs.there_soon(counting):
        raise Pending("meta", counting)
    else:
        _show(*counting.result(), expected)


def _show(count: MetaCount, seconds: float, expected: int) -> None:
    text = f"{count.total:,} parameters by {escape_markdown(count.class_name)} on the meta device, in {seconds:.1f} s"
    if count.total == expected:
        st.markdown(f":green-badge[:material/check: agrees to the last parameter] {text}")
    else:
        off = count.total - expected
        st.markdown(f":orange-badge[:material/warning: differs by {off:+,}] {text}; the formula says {expected:,}")
    st.caption(", ".join(f"{escape_markdown(name)} {size:,}" for name, size in count.components[:8]))
