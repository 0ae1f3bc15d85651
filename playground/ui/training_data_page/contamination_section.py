"""Section "Contamination": problems that stand in the documents, and what the model goes on with by itself."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from playground.charts.table import TableColumn, TableData, clipped
from playground.corpus.contamination import GPT3_WORDS, Overlap, overlaps
from playground.corpus.min_k import FAMOUS, Recall, fresh_texts, recalls, set_bar
from playground.corpus.personal_data import mask_personal_data
from playground.engine.api import CancelToken, Engine, Score
from playground.engine.facets import offers
from playground.engine.serving.turns import Priority
from playground.errors import PlaygroundError
from playground.testtime.problems import MOST_BYTES, built_in, read_problems
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw_page, rerun_callback
from playground.ui.kit.job_view import HasJob, JobView, watch
from playground.ui.kit.jobs import result_of
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem, why_it_matters
from playground.ui.kit.pictures import show_table
from playground.ui.runtime import session_id
from playground.ui.training_data_page.corpus import paced
from playground.ui.training_data_page.view import FilterView, document_name
from playground.ui.workspace.shared import file_uploader

MOST_ASKED = 40  # problems that the model is asked about
_LISTED = 60
_PROBLEM_PX = 190  # beside it a phone has room for the first figure


@dataclass(eq=False)
class ContaminationView(HasJob[tuple[Recall, ...]]):
    """``problems``: uploaded ones, () for those that ship. ``recalls``: of the texts asked about, in their order."""

    problems: tuple[str, ...] = ()
    name: str = ""
    fresh: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    recalls: list[Recall] = field(default_factory=list)
    revision: str = ""


def contamination_section(view: FilterView) -> None:
    """Overlap first, which needs no model; then the model's own recall."""
    own = session.get(ContaminationView)
    problems = own.problems or tuple(each.prompt for each in built_in().problems)
    with st.container(horizontal=True, vertical_alignment="center"):
        named = escape_markdown(own.name or "the set that ships")
        st.markdown(f"**{len(problems):,} problems** of {named} in {len(view.measured):,} documents")
        with st.popover("Other problems", icon=":material/upload_file:", on_change="rerun", key="data_problems") as box:
            if box.open:
                _upload(own)
        n = st.selectbox(
            "Words in a row",
            [5, 8, GPT3_WORDS],
            index=1,
            key="data_runs",
            width=140,
            help=f"A problem is found where it shares so many words in a row with a document; GPT-3's report took {GPT3_WORDS}.",
        )
    _overlap(view, problems, int(n))
    st.markdown("##### Has the model read them?")
    _model(view, own, problems)
    why_it_matters(
        "Overlap sees copies and no paraphrase; a short problem is found where its words merely stand. Min-K% sees what the "
        "model says by itself, and takes common phrasing for memory: neither proves anything of a single problem.",
        "Contamination",
    )


def _upload(own: ContaminationView) -> None:
    given = file_uploader(
        "Problems: CSV or JSON lines with prompt and reference",
        type=["csv", "json", "jsonl", "ndjson", "txt"],
        key="data_problem_file",
        max_upload_size=MOST_BYTES // 10**6,
    )
    if given is None:
        return
    try:
        problem_set = read_problems(given.getvalue(), given.name)
    except PlaygroundError as error:
        show_problem(error)
        return

    def take() -> None:
        prompts = (mask_personal_data(each.prompt)[0] for each in problem_set.problems)  # as the documents are
        own.problems, own.name = tuple(prompts), given.name[:60]
        own.recalls, own.asked = [], ()
        redraw_page()

    st.button(f"Look for these {len(problem_set.problems):,}", key="data_take_problems", type="primary", on_click=take)


def _overlap(view: FilterView, problems: Sequence[str], n: int) -> None:
    def job(engine: Engine, cancel: CancelToken) -> Generator[int, None, tuple[Overlap, ...]]:
        return (yield from paced(overlaps(problems, view.measured, n), cancel))

    def submit() -> Any:  # noqa: ANN401 - a ticket
        return view.worker.submit(session_id(), "data-overlap", job, Priority.LOOK)

    total = max(len(view.measured), 1)
    key = (id(view.measured), hash(tuple(problems)), n)
    problem_overlaps = result_of(
        "data-overlap", key, submit, "Looking for the problems", share=lambda done: done / total
    )
    there = sorted((each for each in problem_overlaps if each.matched), key=lambda each: -each.share)
    if not there:
        st.success(f"No problem shares {n} words in a row with a document.", icon=":material/check:")
        return
    whole = sum(each.share == 1 for each in there)
    st.markdown(
        f"**{len(there)} of {len(problems):,} problems** share {n} words in a row with a document; {whole} stand there whole."
    )
    columns = (
        TableColumn("problem", "Problem", _PROBLEM_PX),
        TableColumn("share", "Found, %", 80, "Of its runs of words those that stand in a document.", decimals=0),
        TableColumn("document", "Document", 150),
    )
    rows = tuple(
        {
            "problem": clipped(problems[each.problem], _PROBLEM_PX, 1),
            "share": 100 * each.share,
            "document": clipped(document_name(view.measured, each.document), 150, 1),
        }
        for each in there[:_LISTED]
    )
    show_table(TableData(columns, rows), key="data_overlaps")


# -- the model -----------------------------------------------------------------------------------------------------------


def _model(view: FilterView, own: ContaminationView, problems: Sequence[str]) -> None:
    if not offers(view.worker.engine, Score):
        st.info("This engine does not rate given texts: choose a model in this process or llama.cpp.")
        return

    def start() -> None:
        own.fresh, own.asked, own.recalls = fresh_texts(), tuple(problems[:MOST_ASKED]), []
        own.revision, own.problem = view.worker.engine.info.revision, ""
        texts = (*own.fresh, *FAMOUS, *own.asked)

        def job(engine: Engine, cancel: CancelToken) -> Generator[Recall | None, None, tuple[Recall, ...]]:
            return (yield from recalls(engine, texts, cancel))

        own.job = JobView(view.worker.submit(session_id(), "data-recall", job), own.recalls.append)

    watch(own, lambda: _panel(view, own, start), key="data_recall", changes=lambda: own.busy)
    if own.recalls and not own.busy and len(own.recalls) >= len(own.fresh) + len(FAMOUS):
        _said(own)


def _panel(view: FilterView, own: ContaminationView, start: Any) -> None:  # noqa: ANN401 - a callback
    if own.problem:
        show_problem(own.problem)
    with st.container(horizontal=True, vertical_alignment="center"):
        if own.job is None:
            st.button(
                f"Ask {escape_markdown(view.worker.engine.info.name)}",
                key="data_recall_start",
                icon=":material/psychology:",
                on_click=rerun_callback(start, PICTURES),
                help="It reads each problem's first half and rates the second.",
            )
        else:
            total = len(own.fresh) + len(FAMOUS) + len(own.asked)
            st.progress(min(1.0, len(own.recalls) / total), text=f"{len(own.recalls)} of {total} texts")
            st.button("Stop", key="data_recall_stop", icon=":material/stop:", on_click=own.job.stop, shortcut="escape")


def _said(own: ContaminationView) -> None:
    first, second = len(own.fresh), len(own.fresh) + len(FAMOUS)
    bar = set_bar(own.recalls[:first])
    if bar is None:
        return
    famous, asked = own.recalls[first:second], own.recalls[second:]
    recognised = sum(each.min_k > bar.value for each in famous)
    above = [place for place, each in enumerate(asked) if each.min_k > bar.value]
    short = sum(math.isnan(each.min_k) for each in asked)
    st.markdown(
        f"The bar lies at **{bar.value:.2f} nats**: of {bar.fresh} texts that were written for this project, and so cannot have "
        f"been read, {bar.false} lie above it, which is a **false-positive rate of {bar.false / bar.fresh:.0%}** (95%: "
        f"{bar.low:.0%} to {bar.high:.0%}); of one more such text {bar.expected:.0%}. "
        f"Of {len(famous)} passages that everybody has read it finds {recognised}. "
        f"Of the problems **{len(above)} of {len(asked) - short}** lie above it"
        + (f"; {short} are too short to say." if short else ".")
    )
    rows = tuple(
        {
            "problem": clipped(own.asked[place], _PROBLEM_PX, 1),
            "min_k": each.min_k,
            "exact": f"{each.exact} of {each.of}",
            "read": "above the bar" if each.min_k > bar.value else "",
        }
        for place, each in sorted(enumerate(asked), key=lambda pair: -pair[1].min_k)
        if not math.isnan(each.min_k)
    )
    columns = (
        TableColumn("problem", "Problem", _PROBLEM_PX),
        TableColumn("min_k", "Min-20%, nats", 100, "Mean log-probability of its least likely fifth.", decimals=2),
        TableColumn(
            "exact", "Word for word", 100, "Tokens from its middle on that are the model's own first choice, in a row."
        ),
        TableColumn("read", "", 110),
    )
    if rows:
        show_table(TableData(columns, rows), key="data_recalls")
