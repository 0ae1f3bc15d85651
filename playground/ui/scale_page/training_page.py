"""The page "Training": what a run takes in compute, days, money and energy, and the tables behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from playground.charts.scale_bars import plain_chart, plain_description
from playground.charts.scale_lines import lines_chart, lines_description
from playground.plan.answers import answer_training, price_of
from playground.plan.gpu_rows import COLUMNS, Row, cells_of, edited_rows, own_rows
from playground.plan.scenarios import Scenarios
from playground.plan.setup import ScaleSetup
from playground.plan.training_pictures import UNITS, bill_data, mfu_data
from playground.scaling.hardware import Gpu, gpu_table
from playground.ui.components.light_chart import light_chart
from playground.ui.kit import session
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import why_it_matters
from playground.ui.scale_page import store
from playground.ui.scale_page.page import experiment
from playground.ui.scale_page.plan import PlanPage
from playground.ui.scale_page.source import model_controls
from playground.ui.scale_page.store import WIDGETS

NARROW = (
    ("TFLOP/s", 78),
    ("GB", 56),
    ("TB/s", 62),
    ("W", 58),
    ("USD/h", 66),
)  # labels and pixels: the whole in one view


def controls() -> None:
    """Model and data, the machine, and what it costs to run."""
    model_controls()
    WIDGETS.text("params")
    with st.container(horizontal=True):
        WIDGETS.text("dataset")
        store.choose_gpu()
    WIDGETS.slider("epochs")
    WIDGETS.steps("cluster")
    WIDGETS.slider("mfu", format="percent")
    WIDGETS.text("price", placeholder=price_of(replace(store.setup(), price=None))[1])
    WIDGETS.slider("pue")
    WIDGETS.slider("grid")
    WIDGETS.toggle("attention")


def bill_section(scenarios: Scenarios) -> None:
    """One quantity of every scenario side by side."""
    with st.container(key="tabs_line_bill"):
        quantity = st.segmented_control(
            "Compare", list(UNITS), default="days", key="scale_bill", required=True, label_visibility="collapsed"
        )
    data = bill_data(scenarios, str(quantity))
    light_chart(plain_chart(data), key="scale_bill_chart", alt=plain_description(data))
    why_it_matters(
        "Twice the GPUs halve the days and leave the bill as it is, as long as the utilisation holds; at scale it does not. "
        "Pin scenarios to compare them. Failed runs, experiments, storage and people are not in this bill."
    )


def mfu_section(scenarios: Scenarios) -> None:
    """Days against utilisation, with what published runs reached."""
    data = mfu_data(scenarios)
    light_chart(lines_chart(data), key="scale_mfu_chart", alt=lines_description(data, "Training time"))
    why_it_matters(
        "MFU counts only the arithmetic the model needs, against the dense peak. Recomputing activations does up to a third "
        "more and is not counted: that would be HFU. Published large runs lie between 21% and 46%."
    )


@dataclass(eq=False)
class GpuTable:
    """The table of GPUs in the browser. Its base stays while it is edited: another one would be another table, and close the
    cell that is being typed into.

    ``base``: the rows it began with; ``rows``: as they are now; ``own``: the GPUs taken from them, None before the first
    look; ``problems``: sentences on those that are not.
    """

    base: tuple[Row, ...] = ()
    rows: tuple[Row, ...] = ()
    own: tuple[Gpu, ...] | None = None
    problems: tuple[str, ...] = ()
    version: int = 0

    def begin(self, rows: tuple[Row, ...]) -> None:
        """A new table on these rows."""
        self.base, self.version = rows, self.version + 1
        self.note(rows)

    def note(self, rows: tuple[Row, ...]) -> None:
        """What the rows are now."""
        self.rows = rows
        self.own, self.problems = own_rows(rows)

    @property
    def key(self) -> str:
        """Of the widget."""
        return f"scale_gpus_{self.version}"


def _gpus() -> GpuTable:
    """This session's table, following a setup that was replaced elsewhere, as by a link."""
    table, own = session.get(GpuTable), store.setup().own_gpus
    if table.own != own:
        table.begin(tuple(cells_of(gpu) for gpu in (gpu_table() | {gpu.name: gpu for gpu in own}).values()))
        table.own = own
    elif table.key not in st.session_state and table.rows != table.base:  # the tab was left: the widget has forgotten
        table.begin(table.rows)
    return table


def hardware_section(scenarios: Scenarios) -> None:
    """The table of GPUs and prices, to be edited; every page uses the edited rows."""
    import pandas as pd  # only a table needs it, and a page opens without it

    table = _gpus()
    st.data_editor(
        pd.DataFrame(table.base, columns=list(COLUMNS)),
        key=table.key,
        num_rows="dynamic",
        hide_index=True,
        height="content",
        column_config={
            name: st.column_config.NumberColumn(label, min_value=0.0, format="%.4g", help=name, width=width)
            for name, (label, width) in zip(COLUMNS[1:6], NARROW, strict=True)
        },
        placeholder="–",
        alt="GPUs with dense peak, memory, bandwidth, power and price; every cell can be edited",
        on_change=_edited,
    )
    for problem in table.problems:
        st.warning(escape_markdown(problem), icon=":material/edit_note:")
    st.button(
        "Back to the built-in table",
        key="scale_gpus_reset",
        on_click=_reset,
        disabled=table.rows == tuple(map(cells_of, gpu_table().values())),
    )
    first_gpu = next(iter(gpu_table().values()))
    ranges = ", ".join(
        f"{gpu.name} {gpu.price_low:.2f}–{gpu.price_high:.2f}"
        for gpu in gpu_table().values()
        if gpu.price_low is not None and gpu.price_high is not None
    )
    why_it_matters(
        f"Peaks: {first_gpu.source}. Prices seen at cloud providers up to {first_gpu.as_of}, in USD per GPU-hour: "
        f"{ranges}. The table shows the middle of each range; prices change monthly, so put in your own."
    )


def _edited() -> None:
    """From the table's callback: the rows that differ from the built-in ones, as far as they are complete."""
    table = session.get(GpuTable)
    edits: Any = st.session_state.get(table.key)
    if edits is not None:
        table.note(edited_rows(table.base, edits))
        _take(table.own or ())


def _reset() -> None:
    session.get(GpuTable).begin(tuple(map(cells_of, gpu_table().values())))
    _take(())


def _take(own: tuple[Gpu, ...]) -> None:
    names = {*gpu_table(), *(gpu.name for gpu in own)}
    session.change(ScaleSetup, own_gpus=own, gpu=store.setup().gpu if store.setup().gpu in names else "H100 SXM")


EXPERIMENTS = {
    "gpt3": experiment(
        "GPT-3 on 256 H100",
        "The notes say 236 days, the sources 42.",
        "The notes' 60 TFLOP/s is the card's FP32 figure. Switch between the two at the top left.",
        "Notes or checked",
        {"config": "GPT-3-175B", "dataset": 300e9, "gpu": "H100 NVL", "cluster": 256, "price": 2.0},
    ),
    "llama": experiment(
        "Half the GPUs, twice the days",
        "The bill stays the same.",
        "A runs on half the GPUs: twice the days, the same GPU-hours, money and energy.",
        "Bill",
        {"config": "Llama-3.1-405B", "dataset": 15.6e12, "cluster": 16384, "mfu": 0.41},
        ({"config": "Llama-3.1-405B", "dataset": 15.6e12, "cluster": 8192, "mfu": 0.41},),
    ),
    "utilisation": experiment(
        "What utilisation is worth",
        "From 21% to 46% MFU.",
        "The curve is steep where the utilisation is low: GPT-3's 21% cost more than twice the days of PaLM's 46%.",
        "Utilisation",
        {"config": "GPT-3-175B", "dataset": 300e9, "gpu": "A100-80 SXM", "cluster": 1024, "mfu": 0.21},
    ),
}
SECTIONS: dict[str, Callable[[Scenarios], None]] = {
    "Bill": bill_section,
    "Utilisation": mfu_section,
    "Hardware and prices": hardware_section,
}
PLAN = PlanPage(
    "scale_training",
    "Training",
    ":material/factory:",
    "Compute, time, money, energy and CO₂ of a training run.",
    "What a training run takes: arithmetic, days, GPU-hours, money, energy and CO₂, each with its formula.",
    controls,
    answer_training,
    SECTIONS,
    EXPERIMENTS,
    ("GPT-3 on 256 H100", "Cost of GPT-3", "Compute of PaLM-2"),
)
