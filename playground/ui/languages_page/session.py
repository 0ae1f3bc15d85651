"""What the page keeps of a reader: the parallel text in use, tokenizers of his own, and all that were opened and counted."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from playground.corpus.counting import STORE, Counts, LanguageCount, digest_of, language_counts
from playground.corpus.json_files import MOST_FILE_BYTES, open_strange
from playground.corpus.parallel import Parallel, declaration
from playground.corpus.tokenizer import Tokenizer
from playground.corpus.tokenizers import absent, open_tokenizer, packaged, present
from playground.engine.api import CancelToken
from playground.engine.serving.ticket import Ticket
from playground.errors import BadInput, PlaygroundError
from playground.state.languages import LanguagesState
from playground.ui.kit import session
from playground.ui.kit.background import in_background
from playground.ui.kit.jobs import result_of
from playground.ui.kit.markdown import escape_markdown
from playground.ui.visitor import visitor_id

MOST_OWN = 6
_FOLDER = tempfile.TemporaryDirectory(prefix="tokenizers-")  # uploads of this process, gone with it


@dataclass(frozen=True, slots=True)
class OwnTokenizers:
    """What a reader named (a hub id or a folder) or uploaded, opened: name and tokenizer."""

    opened: Mapping[str, Tokenizer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UsedText:
    """The parallel text; None for the one that ships."""

    own: Parallel | None = None


def parallel() -> Parallel:
    """The text in use."""
    return session.get(UsedText).own or declaration()


def use_text(own: Parallel | None) -> None:
    """Take a parallel text, or the one that ships. A language that it does not have is not looked at any more."""
    session.put(UsedText(own))
    text = own or declaration()
    if session.get(LanguagesState).language not in text.languages:
        others = [code for code in text.languages if code != text.baseline]
        session.change(LanguagesState, language=others[0])


def looked_at(text: Parallel) -> str:
    """The language that is looked at closer. A link may name one that the text does not have, or the baseline: that is told."""
    others = [code for code in text.languages if code != text.baseline]
    asked, usual = session.get(LanguagesState).language, LanguagesState().language
    if asked in others:
        return asked
    shown = usual if usual in others else others[0]
    session.change(LanguagesState, language=shown)
    st.info(
        escape_markdown(
            f"{text.languages[asked].name} is what the others are held against"
            if asked == text.baseline
            else f"The text has no language {asked[:40]!r}"
        )
        + f": {escape_markdown(text.languages[shown].name)} is shown."
    )
    return shown


def add_named(name: str) -> None:
    """Open a tokenizer by folder or hub id. Raises BadInput."""
    if name:
        _add(name, open_tokenizer(name))


def add_upload(data: bytes, file_name: str) -> None:
    """Open an uploaded tokenizer.json. Raises BadInput."""
    if len(data) > MOST_FILE_BYTES:
        raise BadInput(f"The file has more than {MOST_FILE_BYTES:,} bytes: no tokenizer is so large.", "tokenizer")
    path = Path(_FOLDER.name) / f"{hashlib.sha256(data).hexdigest()[:24]}.json"
    path.write_bytes(data)
    _add(file_name[:60], open_strange(path, file_name[:60], visitor_id()))


def _add(name: str, opened: Tokenizer) -> None:
    own = dict(session.get(OwnTokenizers).opened)
    if name not in own and len(own) >= MOST_OWN:
        raise BadInput(
            f"At most {MOST_OWN} tokenizers of your own stand beside the others: take one away.", "tokenizer"
        )
    session.put(OwnTokenizers(own | {name: opened}))


def remove_tokenizer(name: str) -> None:
    """Without one of the reader's own."""
    session.put(OwnTokenizers({key: each for key, each in session.get(OwnTokenizers).opened.items() if key != name}))
    state, usual = session.get(LanguagesState), LanguagesState()
    for attribute in ("tokenizer", "beside"):
        if getattr(state, attribute) == name:
            session.change(LanguagesState, **{attribute: getattr(usual, attribute)})


def tokenizers() -> Mapping[str, Tokenizer]:
    """All that are here, the reader's own last. Raises Pending while their files are read for the first time."""
    names = present()

    def work(tell: Callable[[object], None], cancel: CancelToken) -> dict[str, Tokenizer]:
        packaged_tokenizers = {}
        for number, name in enumerate(names, start=1):
            cancel.check()
            try:
                packaged_tokenizers[name] = packaged(name)
            except PlaygroundError:
                continue  # a damaged file: the others are shown, and it is missing
            tell(number / len(names))
        return packaged_tokenizers

    opened = result_of(
        "tokenizers", names, lambda: in_background("tokenizers", work), "Vocabularies are read", share=float
    )
    return {**opened, **session.get(OwnTokenizers).opened}


def labels(opened: Mapping[str, Tokenizer]) -> dict[str, str]:
    """What each is called on the page."""
    return {name: each.facts.label for name, each in opened.items()}


def chosen(field: str, named: Mapping[str, str]) -> str:
    """The tokenizer that the page's ``field`` names. A link may name one that is not here: that is told, another shown."""
    asked, usual = getattr(session.get(LanguagesState), field), getattr(LanguagesState(), field)
    if asked in named:
        return str(asked)
    shown = usual if usual in named else next(iter(named))
    if asked != usual:
        session.change(LanguagesState, **{field: shown})
        why = absent().get(asked) or f"The tokenizer {asked[:40]!r} of the link is not among those that are shown here."
        st.info(escape_markdown(f"{why} {named[shown]} is shown in its place."))
    return str(shown)


@dataclass(frozen=True, slots=True)
class Counted:
    """``rows``: a language each, under the tokenizers of ``named`` (name: label). ``problems``: why others are not there."""

    rows: tuple[LanguageCount, ...]
    named: Mapping[str, str]
    problems: tuple[str, ...] = ()


def counted() -> Counted:
    """The text in use under all tokenizers that can read it. Raises Pending while something is counted for the first time."""
    text, opened = parallel(), tokenizers()
    if not opened:
        raise BadInput("No tokenizer is installed here: run `make tokenizers` and reload the page.", "tokenizer")
    counts = {name: cached for name in opened if (cached := STORE.cached(text, _remembered(name))) is not None}
    problems: tuple[str, ...] = ()
    if len(counts) < len(opened):
        asked = (digest_of(text), *map(_remembered, opened))
        counts, problems = result_of("counting", asked, lambda: _count(text, opened), "Texts are counted", share=float)
    named = {name: label for name, label in labels(opened).items() if name in counts}
    if not named:
        raise BadInput(" ".join(problems) or "No tokenizer here reads this text: choose another text.", "tokenizer")
    return Counted(language_counts(text, {name: counts[name] for name in named}), named, problems)


def _remembered(name: str) -> str:
    """A reader's own tokenizer may have the name of another's."""
    own = session.get(OwnTokenizers).opened.get(name)
    return name if own is None else f"{name} {own.facts.content}"


def _count(text: Parallel, opened: Mapping[str, Tokenizer]) -> Ticket[tuple[dict[str, Counts], tuple[str, ...]]]:
    names = {name: _remembered(name) for name in opened}

    def work(tell: Callable[[object], None], cancel: CancelToken) -> tuple[dict[str, Counts], tuple[str, ...]]:
        counts, problems = dict[str, Counts](), list[str]()
        for number, (name, each) in enumerate(opened.items(), start=1):
            cancel.check()
            try:
                counts[name] = STORE.count(text, each, names[name])
            except BadInput as error:  # a stranger's tokenizer that cannot read this text: the others are shown
                problems.append(str(error))
            tell(number / len(opened))
        return counts, tuple(dict.fromkeys(problems))

    return in_background("counting", work)
