"""Section "The same text in many languages": tokens against English, by language and tokenizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from playground.charts.language_pictures import (
    heat_description,
    heat_figure,
    map_description,
    map_figure,
    premium_bars,
    premium_text,
)
from playground.charts.scale_bars import BarsOf, PlainBar, plain_chart, plain_description
from playground.charts.table import TableColumn, TableData, clipped
from playground.corpus.counting import LanguageCount, sorted_counts
from playground.corpus.parallel import MOST_BYTES, Parallel, read_parallel
from playground.downloads import csv_text, harmless
from playground.errors import BadInput, PlaygroundError
from playground.scaling.languages import LANGUAGES, MASSIVE_MEDIAN_TOKENS, token_ratios, under_representation
from playground.state.languages import LanguagesState
from playground.ui.components.light_chart import light_chart
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.kit.widgets import Bound
from playground.ui.languages_page.session import UsedText, chosen, counted, looked_at, parallel, use_text
from playground.ui.workspace.shared import file_uploader

_WIDGETS = Bound(LanguagesState)
DENSE_PX = 21  # of a bar where there are dozens


def premiums_section(_: object) -> None:
    """Heatmap, bars, map or table; one language taken apart; the notes' figures beside."""
    text = parallel()
    try:
        token_counts = counted()
    except BadInput:  # said where the pictures are; the way back to a text that can be counted stays
        _own_text(text)
        raise
    counts, named = token_counts.rows, token_counts.named
    looked_at(text)
    state = session.get(LanguagesState)
    name = chosen("tokenizer", named)
    with st.container(horizontal=True, vertical_alignment="bottom", key="tab_controls"):
        _WIDGETS.segmented("shows")
        _WIDGETS.choose("tokenizer", choices=named)
        _WIDGETS.choose("language", choices=language_names(text))
        _own_text(text)
    for note in (*token_counts.problems, *text.notes)[:6]:
        st.warning(escape_markdown(note), icon=":material/rule:")
    _closer(counts, state.language, name, named, text.languages[text.baseline].name)
    ordered = sorted_counts(counts, name)
    _picture(ordered, name, named, state)
    st.caption(
        escape_markdown(
            f"{len(counts)} languages; the baseline is {text.languages[text.baseline].name}. {text.source}."
        )
    )
    why_it_matters(
        "The premium is tokens over the baseline's tokens for the same texts. It is paid three times: in price, in waiting "
        "and in context used up. It belongs to the vocabulary, not to the language: change the tokenizer and watch it move. "
        "Translations differ in length by some tenths, so small differences mean nothing.",
        "Premium",
    )
    file_button("CSV", "premiums.csv", lambda: count_csv(ordered, named), quiet=True)
    _notes_figures()


def language_names(text: Parallel) -> dict[str, str]:
    """All languages but the baseline, by code."""
    return {code: each.name for code, each in text.languages.items() if code != text.baseline}


def _picture(ordered: Sequence[LanguageCount], name: str, named: Mapping[str, str], state: LanguagesState) -> None:
    if state.shows == "heat":
        show_figure(heat_figure(ordered, named), heat_description(ordered, named), key="premium_heat")
    elif state.shows == "map" and all(each.text.latitude is None for each in ordered):
        st.info("The text says of no language where it is spoken: it has no map. Choose another picture.")
    elif state.shows == "map":
        show_figure(map_figure(ordered, name, state.language), map_description(ordered, name), key="premium_map")
    elif state.shows == "bars":
        data = premium_bars(ordered, name, state.language)
        light_chart(plain_chart(data, DENSE_PX), key="premium_bars", alt=plain_description(data))
    else:
        show_table(count_table(ordered, named, name), key="premium_table")


def _closer(counts: Sequence[LanguageCount], code: str, name: str, named: Mapping[str, str], baseline: str) -> None:
    """The chosen language in words: its premium, what makes it up, and the cheapest vocabulary here."""
    language = next((each for each in counts if each.text.code == code), None)
    if language is None:
        return
    letters, per_letter, per_byte = language.factors(name)
    best = min(named, key=language.premium)
    said = (
        f"**{escape_markdown(language.text.name)}** takes **{premium_text(language.premium(name))}** the tokens of "
        f"{escape_markdown(baseline)} with {escape_markdown(named[name])}, its **premium**: {letters:.2f} times the "
        f"characters × {per_letter:.2f} times the bytes a character (UTF-8) × {per_byte:.2f} times the tokens a byte "
        f"(vocabulary). With "
        f"{escape_markdown(named[best])} it is **{premium_text(language.premium(best))}**."
    )
    st.markdown(said)


def count_table(counts: Sequence[LanguageCount], named: Mapping[str, str], first: str) -> TableData:
    """A row a language: its premium under the tokenizer ``first``, what makes that up, the other tokenizers, the script."""
    columns = (
        TableColumn("language", "Language", 150, pinned=True),
        _premium_column(first, named[first]),
        TableColumn("characters", "Characters", 90, "Against the baseline's.", decimals=2),
        TableColumn("bytes", "Bytes", 80, "Of UTF-8, against the baseline's.", decimals=2),
        *(_premium_column(name, label) for name, label in named.items() if name != first),
        TableColumn("script", "Script", 100),
    )
    rows = tuple(
        {
            "language": each.text.name,
            "script": each.text.script,
            "characters": each.character_ratio,
            "bytes": each.byte_ratio,
            **{name: each.premium(name) for name in named},
        }
        for each in counts
    )
    return TableData(columns, rows)


def _premium_column(name: str, label: str) -> TableColumn:
    """What stands in brackets behind a tokenizer's name is said on hover: a heading is cut without a sign."""
    width = 110
    return TableColumn(name, clipped(label.partition(" (")[0] or label, width, 1), width, f"Premium with {label}.", 2)


def count_csv(counts: Sequence[LanguageCount], named: Mapping[str, str]) -> str:
    """For a file: a row a language, its tokens and its premium by tokenizer."""
    columns = ["language", "name", "script", "bytes", "characters"]
    columns += [f"tokens {harmless(name)}" for name in named] + [f"premium {harmless(name)}" for name in named]
    rows = [
        [harmless(each.text.code), harmless(each.text.name), each.text.script, each.bytes, each.characters]
        + [each.tokens[name] for name in named]
        + [round(each.premium(name), 4) for name in named]
        for each in counts
    ]
    return csv_text(columns, rows)


def _own_text(text: Parallel) -> None:
    with st.popover("Your text", icon=":material/upload_file:", on_change="rerun", key="own_parallel") as box:
        if not box.open:
            return
        st.caption('JSON lines: {"language": "eng", "key": "1", "text": "…"}. The same keys in every language.')
        file = file_uploader("Parallel text", key="own_parallel_file", max_upload_size=MOST_BYTES // 1_000_000)
        if file is not None:
            st.button("Use it", key="own_parallel_use", on_click=_take_text)
        if session.get(UsedText).own is not None:
            st.button("Back to the declaration", key="own_parallel_back", on_click=_take_back)


def _take_text() -> None:
    session.clear_problems()
    file = st.session_state.get("own_parallel_file")
    if file is not None:
        try:
            use_text(read_parallel(file.getvalue()))
        except PlaygroundError as error:
            session.note_problem(str(error))
    redraw(PICTURES)


def _take_back() -> None:
    session.clear_problems()
    use_text(None)
    redraw(PICTURES)


def _notes_figures() -> None:
    """The course notes' own figures, on other texts: MASSIVE's medians, and who is under-represented in the crawl."""
    with st.expander("The notes' figures beside these", on_change="rerun", key="notes_languages") as box:
        if not box.open:
            return
        medians = tuple(MASSIVE_MEDIAN_TOKENS.values())
        bars = tuple(
            PlainBar(name, times, f"{times:.2f}× ({median:g} tokens)")
            for name, times, median in zip(MASSIVE_MEDIAN_TOKENS, token_ratios(medians), medians, strict=True)
        )
        data = BarsOf(bars, "median tokens of an utterance against English")
        light_chart(plain_chart(data), key="massive_bars", alt=plain_description(data))
        st.caption(
            "Course notes, on the 52 languages of the MASSIVE data set (short commands to an assistant) under an older "
            "OpenAI vocabulary; what is measured above is legal prose under today's vocabularies."
        )
        shares = tuple(
            PlainBar(each.name, times, f"{times:,.2f}×")
            for each in LANGUAGES
            for times in [under_representation(each.speakers, each.web_share).value]
        )
        crawl = BarsOf(shares, "speakers' share over Common Crawl's (1 is fair)", log=True)
        light_chart(plain_chart(crawl), key="crawl_bars", alt=plain_description(crawl))
        st.caption(
            escape_markdown(
                "; ".join(f"{each.name}: {each.source}" for each in LANGUAGES)
                + ". The notes also have Telugu about 65 and Bengali about 37. World: 8,000M people."
            )
        )
