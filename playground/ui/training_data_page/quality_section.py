"""Section "Quality or quantity": tiny models trained live on clean text, on noisy text, and on twice as much of it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import streamlit as st

from playground.charts.filter_pictures import CurvesData, curves_description, curves_figure
from playground.charts.table import TableColumn, TableData
from playground.corpus.quality_run import ARMS, Progress, QualityPlan, Rating, compare_arms, curve, run_quality
from playground.engine.api import CancelToken, Engine
from playground.errors import PlaygroundError
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, rerun_callback
from playground.ui.kit.job_view import HasJob, JobView, watch
from playground.ui.kit.messages import show_problem, why_it_matters
from playground.ui.kit.pace import queue_words
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.runtime import session_id
from playground.ui.training_data_page.view import FilterView

STORIES, OWN = "Stories of known quality", "These documents, kept and removed"
MOST_OWN_BYTES = 400_000
# Gunasekar et al. 2023 ("Textbooks are all you need"), table 1: pass@1 of HumanEval.
PHI = (
    ("phi-1", "1.3B", "7B", 50.6),
    ("StarCoder", "15.5B", "1T", 33.6),
    ("CodeGen-Mono", "16.1B", "577B", 29.3),
    ("Replit", "2.7B", "525B", 21.9),
)


@dataclass(eq=False)
class QualityView(HasJob[int]):
    """The run of this session: its plan, what has been rated, how far it is."""

    plan: QualityPlan | None = None
    ratings: list[Rating] = field(default_factory=list)
    done: int = 0
    total: int = 0
    parameters: int = 0


def quality_section(view: FilterView) -> None:
    """What is trained on, the curves, and what they say."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = st.selectbox(
            "Trained on",
            [STORIES, OWN],
            key="data_quality_source",
            width=260,
            help="Of these documents the kept ones are the clean text and the removed ones the noise, as the dials have it now.",
        )
        share = st.select_slider(
            "Noise",
            [0.5, 0.75, 0.9],
            0.75,
            format_func="{:.0%}".format,
            key="data_quality_share",
            width=150,
            help="How much of the noisy text is noise; the rest is as good as the clean one.",
        )
        seeds = st.number_input(
            "Seeds",
            1,
            5,
            2,
            key="data_quality_seeds",
            width=110,
            help="Each begins from other random numbers and reads other stories. Two or more give an interval.",
        )
        passes = st.number_input(
            "Passes", 1, 20, 6, key="data_quality_passes", width=110, help="How often each model reads its text."
        )
    own = session.get(QualityView)

    def start() -> None:
        own.problem = ""
        try:
            kept, removed = _own_texts(view) if source == OWN else (b"", b"")
            plan = QualityPlan(passes=int(passes), seeds=int(seeds), share=float(share), kept=kept, removed=removed)
        except PlaygroundError as error:
            own.problem = str(error)
            return
        _run(own, view, plan)

    watch(own, lambda: _panel(own, start), key="data_quality", changes=lambda: (own.busy, len(own.ratings)))
    if own.ratings:
        _picture(own)
    else:
        st.markdown(
            "Three models of 139,264 parameters start from the same random numbers. One reads clean stories; one as many bytes, "
            "of which a part is advertising, menus and words in disorder; one twice as many of those. All are rated on stories "
            "that none has read. One seed takes about a minute of one processor; others at this server keep their turns."
        )
    _phi()


def _own_texts(view: FilterView) -> tuple[bytes, bytes]:
    """Kept and removed documents as the dials have them now."""
    parts: dict[bool, list[bytes]] = {True: [], False: []}
    sizes = {True: 0, False: 0}
    for place, stays in enumerate(view.verdicts.kept.tolist()):
        if sizes[stays] < MOST_OWN_BYTES:
            parts[stays].append(view.measured.text(place).encode() + b"\n")
            sizes[stays] += len(parts[stays][-1])
    return b"".join(parts[True]), b"".join(parts[False])


def _run(own: QualityView, view: FilterView, plan: QualityPlan) -> None:
    def job(engine: Engine, cancel: CancelToken) -> Generator[Progress, None, int]:
        return (yield from run_quality(plan, cancel))

    def step(progress: Progress) -> None:
        own.done, own.total = progress.done, progress.total
        if progress.rating is not None:
            own.ratings.append(progress.rating)

    def end(parameters: int) -> None:
        own.parameters = parameters

    own.plan, own.ratings, own.done, own.total = plan, [], 0, 0
    own.job = JobView(view.worker.submit(session_id(), "data-quality", job), step, end)


def _panel(own: QualityView, start: Callable[[], None]) -> None:
    if own.problem:
        show_problem(own.problem)
    with st.container(horizontal=True, vertical_alignment="center"):
        if own.job is None:
            st.button(
                "Train them",
                key="data_quality_start",
                type="primary",
                icon=":material/model_training:",
                on_click=rerun_callback(start, PICTURES),
            )
        else:
            st.progress(
                min(1.0, own.done / max(own.total, 1)),
                text=f"{own.done:,} of {own.total:,} steps{queue_words(own.job.ticket)}",
            )
            st.button("Stop", key="data_quality_stop", icon=":material/stop:", on_click=own.job.stop, shortcut="escape")


def _picture(own: QualityView) -> None:
    arms = tuple(
        (label, *curve(own.ratings, arm)) for arm, label in ARMS.items() if any(each.arm == arm for each in own.ratings)
    )
    data = CurvesData(tuple(arm for arm in arms if len(arm[1])))
    said = curves_description(data)
    show_figure(curves_figure(data), said, key="data_quality_curves")
    st.caption(said)
    if own.busy:
        return
    for each in compare_arms(own.ratings):
        more = "worse" if each.difference > 0 else "better"
        name = ARMS[each.arm].capitalize()
        if each.low != each.low:
            sure = "one seed says nothing of others; choose two or more"
        elif each.low <= 0 <= each.high:
            sure = f"95% {each.low:+.3f} to {each.high:+.3f}: no difference is shown"
        else:
            sure = f"95% over seeds {each.low:+.3f} to {each.high:+.3f}"
        st.markdown(f"**{name}**: {abs(each.difference):.3f} bits a byte {more} than clean ({sure}).")
    why_it_matters(
        "Noise costs twice: its share of the steps, and weights spent on it. The model that reads twice as much also computes "
        "twice as long. How the arms stand depends on size, passes and how much of it is noise: move them."
    )


def _phi() -> None:
    with st.expander("The published case, and how far this is from it", on_change="rerun", key="data_phi") as box:
        if not box.open:
            return
        columns = (
            TableColumn("model", "Model", 140),
            TableColumn("size", "Parameters", 100),
            TableColumn("tokens", "Training tokens", 130),
            TableColumn("score", "HumanEval pass@1, %", 150, decimals=1),
        )
        rows = tuple(
            {"model": name, "size": size, "tokens": tokens, "score": score} for name, size, tokens, score in PHI
        )
        show_table(TableData(columns, rows), key="data_phi_table")
        st.caption(
            "Gunasekar et al. 2023 (2306.11744), table 1. There 1.3 billion parameters read chosen and generated textbooks of "
            "code, and write better programs than models ten times their size. Here 139,264 parameters read stories of a "
            "grammar for a minute and are rated by loss: it shows the mechanism, not the size of the effect. phi-1's exercises "
            "are close to its test, which others have taken for contamination."
        )
