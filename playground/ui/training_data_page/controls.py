"""The left third: which documents, which filters, and the dials of one of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import streamlit as st

from playground.corpus.documents import FORMATS, MOST_BYTES, PARTED
from playground.corpus.language_id import supported_languages
from playground.corpus.measuring import blocked_pattern
from playground.corpus.rules import GROUPS, Rule, number
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.state.data_training import FilterState
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, PICTURES, redraw_page, rerun_callback
from playground.ui.kit.job_view import watch
from playground.ui.kit.jobs import Pending, redraw_when_done
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.kit.pace import queue_words
from playground.ui.kit.session import bind_widget
from playground.ui.kit.widgets import Bound
from playground.ui.training_data_page.corpus import SAMPLE, Corpus, count_blocked, present_documents, read_documents
from playground.ui.training_data_page.view import share_first
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.shared import file_uploader

_BOTH = (PICTURES, CONTROLS)


def filter_controls() -> None:
    """Documents, filters, dials."""
    try:
        worker = loaded_model()
        present_documents(worker)
    except Pending as pending:  # shown where the pictures are
        redraw_when_done(pending, CONTROLS)
        return
    _bring_in(worker)
    own = session.get(Corpus)
    watch(own, _under_way, key="data_work", changes=lambda: (own.busy, len(own.surprises) // 10))
    bound, state = Bound(FilterState), session.get(FilterState)
    chosen = list(state.groups)

    def choose(groups: list[str]) -> tuple[str, ...]:
        bound.write("groups", tuple(name for name in GROUPS if name in groups))
        return _BOTH

    st.multiselect(
        "Filters",
        list(GROUPS),
        default=chosen,
        format_func=lambda name: GROUPS[name].label,
        key="data_groups",
        help="A document is kept if it fails no rule of these.",
        on_change=bind_widget("data_groups", chosen, choose),
    )
    bound.choose("group", *_BOTH)
    _dials(state)


# -- documents -----------------------------------------------------------------------------------------------------------


def _bring_in(worker: Worker) -> None:
    own = session.get(Corpus)
    count = len(own.measured) if own.measured is not None else 0
    st.markdown(f"**{count:,} document{'s' * (count != 1)}** of {escape_markdown(own.name or 'what was pasted')}")
    with st.container(horizontal=True, key="data_bring_in"):
        with st.popover("Paste", icon=":material/content_paste:", on_change="rerun", key="data_pasting") as box:
            if box.open:
                _paste(worker)
        with st.popover("A file", icon=":material/upload_file:", on_change="rerun", key="data_file") as box:
            if box.open:
                _upload(worker)
        if own.measured is not None and own.name != SAMPLE:
            st.button("The sample", icon=":material/undo:", key="data_sample", on_click=rerun_callback(_back))
    for note in own.measured.notes if own.measured is not None else ():
        st.caption(f":material/info: {escape_markdown(note)}")


def _back() -> None:
    session.put(Corpus(taken=session.get(Corpus).taken))


def _paste(worker: Worker) -> None:
    text = st.text_area(
        "Documents",
        key="data_paste",
        height=160,
        max_chars=1_000_000,
        help=f"A line of {PARTED} begins another document. Nothing of it is stored or stands in a link.",
    )

    def take() -> None:
        read_documents(worker, io.BytesIO(text.encode("utf-8", "replace")), "", parted=True)

    st.button("Filter it", key="data_take", type="primary", disabled=not text.strip(), on_click=_tried(take))


def _upload(worker: Worker) -> None:
    given = file_uploader(
        FORMATS,
        key="data_upload",
        max_upload_size=MOST_BYTES // 10**6,
        help="JSON lines and tables have the field text; id, votes, language, domain, dialect, label and source are read too.",
    )
    if given is not None:

        def take() -> None:
            given.seek(0)
            read_documents(worker, given, given.name)

        st.button("Filter it", key="data_take_file", type="primary", on_click=_tried(take))


def _under_way() -> None:
    """How far the work is, with a stop button; why the last one failed."""
    own = session.get(Corpus)
    if own.problem:
        show_problem(own.problem)
    if own.job is None:
        return
    said = f"{own.doing}: {own.done:,}" + (f" of {own.total:,}" if own.total else " documents")
    queued = queue_words(own.job.ticket)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(1.0, own.done / own.total) if own.total else 0.0, text=escape_markdown(said) + queued)
        st.button("Stop", icon=":material/stop:", key="data_stop", on_click=own.job.stop, shortcut="escape")


def _tried(act: Callable[[], None]) -> Callable[..., None]:
    """A callback; what is refused is said beside the progress."""

    def tried() -> None:
        own = session.get(Corpus)
        try:
            act()
        except PlaygroundError as error:
            own.problem = str(error)
        redraw_page()

    return tried


# -- dials ---------------------------------------------------------------------------------------------------------------


def _dials(state: FilterState) -> None:
    group = GROUPS[state.group]
    st.caption(group.about)
    if state.group not in state.groups:
        st.caption(":material/info: These rules do not hold now: add the filter above.")
    if state.group == "language":
        Bound(FilterState).choose("language", choices={code: code for code in supported_languages()})
    if state.group == "words":
        _blocked_words()
    moved = state.moved
    for rule in group.rules:
        _dial(rule, moved.get(rule.name, rule.threshold))
    if any(rule.name in moved for rule in group.rules):
        st.button(
            "Back to the published values",
            key="data_published",
            icon=":material/undo:",
            on_click=_publish,
            type="tertiary",
        )


def _dial(rule: Rule, value: float) -> None:
    key = f"dial_{rule.name}"
    bound = "at least" if rule.fails == "below" else "at most"

    def write(new: float) -> tuple[str, ...]:
        before = session.get(FilterState).moved
        dials = before | {rule.name: float(new)}
        given = tuple(f"{name}:{each:.10g}" for name, each in dials.items() if each != _published(name))
        session.change(FilterState, dials=given)
        offered = before.keys() != session.get(FilterState).moved.keys()  # the way back to the published values
        return share_first(*[CONTROLS] * offered)

    st.slider(
        f"{rule.label}: {bound}",
        min(rule.low, value),
        max(rule.high, value),
        float(value),
        rule.step,
        key=key,
        format="%.0f" if rule.step >= 1 else "%.3g",
        help=f"{rule.explain} Published: {number(rule.threshold)}. Source: {rule.source}.",
        on_change=bind_widget(key, float(value), write),
    )


def _published(name: str) -> float:
    return next(rule.threshold for group in GROUPS.values() for rule in group.rules if rule.name == name)


def _publish() -> None:
    state = session.get(FilterState)
    own = {rule.name for rule in GROUPS[state.group].rules}
    session.change(FilterState, dials=tuple(given for given in state.dials if given.partition(":")[0] not in own))
    redraw_page()


def _blocked_words() -> None:
    own = session.get(Corpus)
    text = st.text_area("Blocked words, one a line", "\n".join(own.blocked), key="data_blocked", height=140)

    def count(worker: Worker) -> None:
        words = tuple(line.strip() for line in text.splitlines() if line.strip())
        blocked_pattern(words)
        count_blocked(worker, words)

    st.button("Count them", key="data_count", on_click=_tried(partial(count, loaded_model())))
