"""Section "Parameters": the treemap, the formula, sparsity, and the count on torch's meta device on request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from playground.charts.scale_treemap import treemap_description, treemap_figure
from playground.errors import PlaygroundError
from playground.plan.answers import config_of, count_of, spec_of
from playground.plan.model_pictures import parameter_rows, treemap_data
from playground.plan.scenarios import Scenarios, titled
from playground.plan.setup import CUSTOM
from playground.scaling.configs import load_preset
from playground.scaling.meta import MetaCount, count_on_meta
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters
from playground.ui.scale_page.figure_table import figure_table


def parameters_section(scenarios: Scenarios) -> None:
    """Components as areas; the same total twice, from the formula and from the built model."""
    setup = scenarios.now
    spec, data = spec_of(setup), treemap_data(setup)
    st.plotly_chart(treemap_figure(data), key="scale_treemap", alt=treemap_description(data))
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
        _meta_count(config_of(setup), count_of(setup).total)
    why_it_matters(
        "Sparsity here is the share of parameters that one token does not touch. It saves arithmetic, not memory: in the "
        "usual dense format zeros and idle experts take as much room as any others."
    )


@dataclass
class _Counting:
    """A count under way on its own thread."""

    started: float = field(default_factory=time.monotonic)
    result: MetaCount | None = None
    error: PlaygroundError | None = None
    seconds: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)

    def run(self, config: dict[str, Any]) -> None:
        try:
            self.result = count_on_meta(config)
        except PlaygroundError as error:
            self.error = error
        except Exception as error:  # whatever a hostile config does to transformers must end in a sentence
            self.error = PlaygroundError(
                f"The model could not be built ({type(error).__name__}); check the config or count by the formula."
            )
        finally:
            self.seconds = time.monotonic() - self.started
            self.done.set()


def _meta_count(config: Mapping[str, object], expected: int) -> None:
    """A button; then progress; then the count, and whether it agrees with the formula."""
    counts = _counts()
    name = json.dumps(dict(config), sort_keys=True)
    if name not in counts:
        st.button(
            "Count on the meta device",
            key="scale_meta_config",
            icon=":material/calculate:",
            on_click=_start_counting,
            args=(name,),
            help="Builds the model in transformers without its weights, which takes seconds, and counts it.",
        )
        return
    found = counts[name]
    if not found.done.is_set():
        _watch(found)
    if found.error is not None:
        counts.pop(name, None)
        show_problem(found.error)
    elif found.result is not None:
        _show(found.result, found.seconds, expected)


def _counts() -> dict[str, _Counting]:
    """This session's counts by config."""
    found: dict[str, _Counting] = st.session_state.setdefault("scale_counts", {})
    return found


def _start_counting(name: str) -> None:
    found = _counts()[name] = _Counting()
    threading.Thread(target=found.run, args=(json.loads(name),), name="meta-count", daemon=True).start()


def _watch(counting: _Counting) -> None:
    place, stop = st.empty(), st.empty()
    stop.button("Stop waiting", key="scale_meta_stop", icon=":material/stop:", shortcut="escape")
    while not counting.done.wait(0.2):  # each look is a point where a newer click ends the wait
        spent = time.monotonic() - counting.started
        place.caption(
            f":material/hourglass_top: Building the model without its weights · {spent:.0f} s, usually 3 to 10 s"
        )
    place.empty()
    stop.empty()


def _show(count: MetaCount, seconds: float, expected: int) -> None:
    text = f"{count.total:,} parameters by {escape_markdown(count.class_name)} on the meta device, in {seconds:.1f} s"
    if count.total == expected:
        st.markdown(f":green-badge[:material/check: agrees to the last parameter] {text}")
    else:
        off = count.total - expected
        st.markdown(f":orange-badge[:material/warning: differs by {off:+,}] {text}; the formula says {expected:,}")
    st.caption(", ".join(f"{escape_markdown(name)} {size:,}" for name, size in count.components[:8]))
