"""Section "Documents": the kept share, what each rule removes, and one document with what offends in it."""

from __future__ import annotations

import zlib
from html import escape

import numpy as np
import streamlit as st

from playground.charts.filter_bars import Dial, RemovedData, RemovedRow, RemovedSweep, removed_description
from playground.charts.palette import CUT
from playground.charts.table import TableColumn, TableData, clipped
from playground.corpus.marks import marked_lines
from playground.corpus.measuring import Values
from playground.corpus.rules import GROUP_OF, GROUPS, RULES, number
from playground.corpus.verdicts import rescues, sweep
from playground.state.data_training import FilterState
from playground.ui.components.removed_bars import dial_sweeps, removed_bars
from playground.ui.kit import session
from playground.ui.kit.fragments import ADDRESS, fragment
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import show_table
from playground.ui.kit.widgets import Bound
from playground.ui.training_data_page.corpus import Corpus
from playground.ui.training_data_page.tokens import counted_exactly, tokens_of
from playground.ui.training_data_page.view import (
    DOCUMENT,
    SHARE,
    FilterView,
    document_name,
    draw_the_rest,
    load_view,
)

MOST_LISTED = 200
MOST_PLACES = 3_000  # of a dial that are told beforehand
MOST_CHARACTERS = 6_000  # of a document on screen


def filters_section(view: FilterView) -> None:
    """The kept share and the bars, which a dial moves; then the document in view."""
    fragment(SHARE, lambda: _share(load_view()))
    st.caption(
        "Before a model is trained, its documents are filtered. Each rule measures one number of a document and removes it where "
        "that lies past a threshold: move one among the dials."
    )
    fragment(DOCUMENT, lambda: _below(load_view()))
    why_it_matters(
        "A rule fails a document for one number, whatever it says. Filters were tuned on English web pages: look below at "
        "what they remove that you would keep, and at what they keep that you would not.",
        "Training-data filter",
    )


def _share(view: FilterView) -> None:
    verdicts, kept, tokens = view.verdicts, view.verdicts.kept, tokens_of(view)
    removed, only = verdicts.removed_by, verdicts.only_by
    rows = tuple(RemovedRow(view.label(name), removed[name], only[name]) for name in verdicts.rules)
    left, whole = round(float(tokens[kept].sum())), round(float(tokens.sum()))
    dials = {f"dial_{name}": Dial(view.dials[name], _others(view, name)) for name in _in_view(view)}
    data = RemovedData(rows, int(kept.sum()), len(kept), left, whole, counted_exactly(view), dials)
    removed_bars(data, key="data_removed", alt=removed_description(data))
    draw_the_rest()


def _below(view: FilterView) -> None:
    """The document in view; then the places of the dials, with which the browser draws the next move by itself."""
    _chooser(view)
    sweeps = {f"dial_{name}": sweep for name in _in_view(view) if (sweep := _swept(view, name)) is not None}
    dial_sweeps(sweeps, key="data_sweeps")


def _in_view(view: FilterView) -> list[str]:
    """The rules that hold and whose dials are shown."""
    return [rule.name for rule in GROUPS[session.get(FilterState).group].rules if rule.name in view.dials]


def _others(view: FilterView, name: str) -> int:
    """A mark of all that one dial's sweep takes as given: documents, what is known of them, model, and the other dials."""
    own, dials = session.get(Corpus), {other: value for other, value in view.dials.items() if other != name}
    given = own.taken, own.busy, own.doing, own.done, own.language, view.worker.engine.info.revision
    return zlib.crc32(repr((given, dials)).encode())


def _swept(view: FilterView, name: str) -> RemovedSweep | None:
    """The counts at every place of a dial; None for one with very many."""
    rule, value = RULES[name], view.dials[name]
    low, high = min(rule.low, value), max(rule.high, value)
    count = round((high - low) / rule.step) + 1
    if count > MOST_PLACES:
        return None
    places = np.round(low + rule.step * np.arange(count), 10)
    counts = sweep(view.verdicts, view.measured.values, name, places, tokens_of(view))
    return RemovedSweep(
        view.verdicts.rules.index(name),
        low,
        rule.step,
        _others(view, name),
        tuple(counts.kept.tolist()),
        tuple(counts.removed.tolist()),
        {
            place: tuple(counts.only[other].tolist())
            for place, other in enumerate(view.verdicts.rules)
            if other == name or np.ptp(counts.only[other])
        },
        tuple(np.rint(counts.weight).astype(int).tolist()),
    )


def _chooser(view: FilterView) -> None:
    shown = session.get(FilterState).shown
    Bound(FilterState, DOCUMENT, ADDRESS).segmented("shown", label_visibility="collapsed")
    kept, count = view.verdicts.kept, view.verdicts.failed.sum(axis=1)
    chosen = {"removed": ~kept, "kept": kept, "one": count == 1, "all": np.ones(len(kept), dtype=bool)}[shown]
    places = np.flatnonzero(chosen)
    if not len(places):
        st.caption("No document here under the present dials.")
        return
    listed = places[:MOST_LISTED].tolist()
    picked = st.selectbox(
        f"Document ({len(places):,}" + (f", the first {MOST_LISTED} listed)" if len(places) > MOST_LISTED else ")"),
        listed,
        format_func=lambda place: f"{place + 1:,}. {document_name(view.measured, place)}",
        # A browser keeps what it shows as text: another set of documents is another list, and no text may change or stand twice.
        key=f"data_document_{shown}{session.get(Corpus).taken or ''}",
    )
    _document(view, int(picked) if picked in listed else listed[0])


def _document(view: FilterView, place: int) -> None:
    measured, row = view.measured, view.measured.values[place]
    failed = view.verdicts.failed_by(place)
    if not failed:
        st.markdown("It fails no rule and is **kept**.")
    else:
        _why(view, place, failed)
    identified = measured.languages[place]
    said = [f"{name}: {tag}" for name, tag in measured.tags[place].items()]
    if identified is not None:
        named = f"identified as {identified.language} ({identified.probability:.0%})"
        said.append(named if identified.language else "of no language that py3langid sees")
    surprise = session.get(Corpus).surprises.get(place)
    if surprise is not None:
        said.append(f"{surprise.bits_per_byte:.2f} bits a byte under the model")
    if said:
        st.caption(escape_markdown(" · ".join(said)))
    text = measured.text(place)
    lines = marked_lines(text[:MOST_CHARACTERS], failed)
    st.html("".join(_line(line.text, line.reasons) for line in lines))
    if len(text) > MOST_CHARACTERS:
        st.caption(f"Its first {MOST_CHARACTERS:,} of {len(text):,} characters.")
    with st.popover("All its values", icon=":material/list:", on_change="rerun", key="data_values") as box:
        if box.open:
            show_table(_values_table(row, view.dials), key="data_values_table")


def _why(view: FilterView, place: int, failed: tuple[str, ...]) -> None:
    """Each rule that it fails, and which dial would rescue it."""
    row = view.measured.values[place]
    needed = rescues(row, view.dials)
    if len(needed) == 1:
        ((name, value),) = needed.items()
        st.markdown(
            f"**One dial rescues it**: {view.label(name)} at {number(value)} in place of {number(view.dials[name])}."
        )
    else:
        st.markdown(f"It fails **{len(needed)} rules**; to keep it all of these dials must move:")
    rows = tuple(
        {
            "rule": RULES[name].label,
            "filter": GROUPS[GROUP_OF[name]].label,
            "value": number(needed[name]),
            "needs": f"{'at least' if RULES[name].fails == 'below' else 'at most'} {number(view.dials[name])}",
        }
        for name in failed
    )
    columns = (
        TableColumn("rule", "Rule", 160),
        TableColumn("value", "Value", 65),
        TableColumn("needs", "Kept with", 105),
        TableColumn("filter", "Filter", 150),
    )
    show_table(TableData(columns, rows), key="data_failed")
    if (nearest := view.measured.nearest[place]) >= 0:
        st.caption(f"It repeats {escape_markdown(document_name(view.measured, nearest))}.")


def _values_table(row: Values, dials: dict[str, float]) -> TableData:
    columns = (
        TableColumn("rule", "Rule", 230),
        TableColumn("value", "Value", 90),
        TableColumn("threshold", "Threshold", 110),
        TableColumn("source", "Source", 250),
    )
    rows = tuple(
        {
            "rule": rule.label,
            "value": number(float(row[place])),
            "threshold": f"{rule.fails} {number(dials.get(rule.name, rule.threshold))}"
            + ("" if rule.name in dials else " (off)"),
            "source": clipped(rule.source, 250, 1),
        }
        for place, rule in enumerate(RULES.values())
    )
    return TableData(columns, rows)


_STYLE = (
    "white-space: pre-wrap; overflow-wrap: anywhere; padding: 0 .4rem; unicode-bidi: plaintext; border-left: 4px solid "
)


def _line(text: str, reasons: tuple[str, ...]) -> str:
    """One line of a stranger's text, escaped, with its reasons beside it."""
    shown = escape(text) or "&nbsp;"
    if not reasons:
        return f'<div style="{_STYLE} transparent">{shown}</div>'
    said = f'<span style="font-size: .75rem; color: {CUT}"> ◂ {escape(", ".join(reasons))}</span>'
    return f'<div style="{_STYLE} {CUT}; background: {CUT}1F">{shown}{said}</div>'
