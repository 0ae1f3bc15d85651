"""Section "What the model knows": bits of the parallel text under the loaded model, the next token in two languages, and in
which language it answers."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import streamlit as st

from playground.charts.knowledge_pictures import knowledge_table, meaning_description, meaning_figure, next_bars
from playground.charts.scale_bars import plain_chart, plain_description
from playground.corpus.answers import NAMES, NEW_TOKENS, QUESTIONS, Answer, answers_job, counted
from playground.corpus.bits import STORE, BitsStep, bits_job
from playground.corpus.meaning import ABOUT, MOST_LANGUAGES, PROTOCOLS, chosen_texts, in_passes, knowledge
from playground.corpus.parallel import Parallel
from playground.engine.serving.worker import Worker
from playground.state.languages import LanguagesState
from playground.ui.components.light_chart import light_chart
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.jobs import result_of
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.kit.session import bind_widget
from playground.ui.kit.widgets import Bound
from playground.ui.languages_page.premiums import language_names
from playground.ui.languages_page.session import looked_at, parallel
from playground.ui.runtime import session_id
from playground.ui.workspace.reading import next_row

_WIDGETS = Bound(LanguagesState)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader has asked for: the languages, articles and protocol of what is read, and whether questions are put."""

    read: tuple[tuple[str, ...], int, str] | None = None
    questions: bool = False


def knowledge_section(worker: Worker) -> None:
    """Choice, picture and table; then the next token; then the answers."""
    text, state = parallel(), session.get(LanguagesState)
    with st.container(horizontal=True, vertical_alignment="bottom", key="tab_controls"):
        _languages(text)
        _WIDGETS.slider("articles", width=120)
        _WIDGETS.choose("protocol", choices=PROTOCOLS, width=200)
        st.button("Read them", key="languages_read", type="primary", icon=":material/play_arrow:", on_click=_read)
    available = {code for code in state.read if code in text.languages}
    texts = chosen_texts(text, [code for code in state.read if code in available], state.articles)
    flat = [each for own in in_passes(texts, state.protocol).values() for each in own]
    wanted = (state.read, state.articles, state.protocol)
    revision = worker.engine.info.revision
    if STORE.cached(revision, flat) is None and session.get(Asked).read != wanted:
        _next_tokens(worker, text)  # what can be seen without being asked for
        size = sum(len(each.encode()) for each in flat)
        st.info(
            "How surprised is the model by the same text in each language? It is told in **bits**: one bit is a choice of two. "
            "A language that the model knows costs few for the same meaning. Press Read them: "
            f"{escape_markdown(worker.engine.info.name)} reads {_first(state.articles)} in {len(texts)} languages, {size:,} "
            "bytes in all. It takes turns with other readers' work, and can be stopped.",
            icon=":material/menu_book:",
        )
        st.caption(f"**{PROTOCOLS[state.protocol]}.** {ABOUT[state.protocol]}")
    else:
        _shown(worker, text, texts, flat, state.protocol)
        _next_tokens(worker, text)
    _answers(worker)


def _first(articles: int) -> str:
    return "the first text" if articles == 1 else f"the first {articles} texts"


def _shown(worker: Worker, text: Parallel, texts: dict[str, list[str]], flat: list[str], protocol: str) -> None:
    with problems_shown_here():
        revision, name = worker.engine.info.revision, worker.engine.info.name
        bits = STORE.cached(revision, flat) or result_of(
            "languages",
            (revision, tuple(flat)),
            lambda: worker.submit(session_id(), "languages", bits_job(flat)),
            f"{name} reads {len(flat)} texts",
            share=lambda step: step.share if isinstance(step, BitsStep) else 0.0,
        )
        per_language = knowledge(text, texts, bits, protocol)
        show_figure(meaning_figure(per_language), meaning_description(per_language), key="meaning")
        st.caption(f"**{PROTOCOLS[protocol]}.** {ABOUT[protocol]}")
        show_table(knowledge_table(per_language), key="knowledge")
        why_it_matters(
            "Bits per byte flatter a language whose characters take three bytes: half of each is known from the script. Bits "
            "per meaning do not: what it takes to say the same. Nothing tells the model which "
            "language comes; well-known legal prose, so that a language may be known better here than in chat.",
            "Bits per byte",
            "Bits per meaning",
        )


def _languages(text: Parallel) -> None:
    names = language_names(text)
    current = [code for code in session.get(LanguagesState).read if code in names]
    key = "languages_chosen"

    def write(values: list[str]) -> None:
        session.change(LanguagesState, read=tuple(values[: MOST_LANGUAGES - 1]))

    st.multiselect(
        "Languages beside the baseline",
        list(names),
        default=current,
        format_func=names.__getitem__,
        max_selections=MOST_LANGUAGES - 1,
        key=key,
        on_change=bind_widget(key, current, write),
    )


def _read() -> None:
    state = session.get(LanguagesState)
    session.put(Asked((state.read, state.articles, state.protocol), session.get(Asked).questions))
    redraw(PICTURES)


def _next_tokens(worker: Worker, text: Parallel) -> None:
    """The same sentence in two languages, broken off in the middle: what would come next."""
    st.markdown("**The next token of the same sentence in two languages**")
    own, base = text.aligned(looked_at(text))
    columns = st.columns(2)
    for column, each in zip(columns, (base, own), strict=True):
        with column, problems_shown_here():
            said = half_of(next(iter(each.texts.values())))
            ids = worker.engine.codec.encode(said)
            st.caption(escape_markdown(f"{each.name}: {end_of(said)}"))
            data = next_bars(worker.engine.codec, ids, next_row(worker, ids, f"next_{each.code}").logits)
            light_chart(plain_chart(data), key=f"next_{each.code}", alt=f"{each.name}. {plain_description(data)}")


def half_of(text: str) -> str:
    """A text as far as the end of a word near its middle.

    >>> half_of("one two three four")
    'one two'
    """
    middle = len(text) // 2
    cut = text.rfind(" ", 0, middle + 1)
    return text[: cut if cut > middle // 2 else max(1, middle)]


def end_of(text: str, most: int = 60) -> str:
    """The last ``most`` characters from the beginning of a word on, where there is one: never from a mark without its letter.

    >>> end_of("one two three", 8), end_of("one", 8)
    ('… three', 'one')
    """
    if len(text) <= most:
        return text
    shown = text[-most:]
    space = shown.find(" ", 0, most // 2)
    shown = shown[space + 1 :]
    while shown and unicodedata.category(shown[0])[0] in "MC":  # a mark, or a joiner
        shown = shown[1:]
    return f"… {shown}"


def _answers(worker: Worker) -> None:
    st.markdown("**Does it answer in the language that it is asked in?**")
    if not session.get(Asked).questions:
        st.button(
            f"Ask {sum(map(len, QUESTIONS.values()))} questions in {len(QUESTIONS)} languages",
            key="languages_ask",
            icon=":material/forum:",
            on_click=_ask,
            help=f"The likeliest {NEW_TOKENS} tokens of an answer each, all written together.",
        )
        return
    with problems_shown_here():
        revision = worker.engine.info.revision
        answers = result_of(
            "answers",
            revision,
            lambda: worker.submit(session_id(), "answers", answers_job),
            f"{worker.engine.info.name} answers",
        )
        _show_answers(answers)


def _show_answers(answers: tuple[Answer, ...]) -> None:
    tallies = counted(answers)
    elsewhere, total = sum(each for each, _ in tallies.values()), sum(each for _, each in tallies.values())
    st.markdown(f"**{elsewhere} of {total}** answers are in another language than their question.")
    st.table(  # two columns: more do not fit a phone
        [
            {
                "Asked": f"**{NAMES[each.asked]}**: {escape_markdown(each.question)}",
                "Answered": f"**{_language(each)}**: {escape_markdown(each.text.strip()[:160])}",
            }
            for each in answers
        ]
    )
    st.caption(
        "The language is what the package py3langid says of the answer: its own mistakes are counted too. A mix of two "
        "languages counts as the one that it sees more of."
    )


def _language(answer: Answer) -> str:
    return NAMES.get(answer.answered, answer.answered) or "Too short to tell"


def _ask() -> None:
    session.put(Asked(session.get(Asked).read, True))
    redraw(PICTURES)
