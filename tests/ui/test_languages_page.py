"""The page Languages on toy tokenizers: strips that are byte-exact, premiums, uploads and refusals."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from xml.etree.ElementTree import fromstring

import pytest

from playground.bounded import close_children
from playground.charts.language_middle import middle_description, middle_svg
from playground.cli import build_parser
from playground.corpus.answers import answer_of, counted
from playground.corpus.bits import BitsStore, bits_job
from playground.corpus.counting import CountStore
from playground.corpus.parallel import declaration, read_parallel
from playground.corpus.pronouns import ADDRESSES, ENGLISH
from playground.corpus.tokenizer import Piece, TokenizerFacts, check_texts, kind_of
from playground.corpus.tokenizers import packaged, present
from playground.engine.api import CancelToken
from playground.engine.fake.engine import FakeEngine
from playground.engine.pieces import finish
from playground.errors import BadInput
from playground.state.languages import LanguagesState
from playground.ui.languages_page import session as page_session
from playground.ui.languages_page.experiments import EXPERIMENTS
from playground.ui.languages_page.knowledge import end_of
from playground.ui.languages_page.session import OwnTokenizers, UsedText
from tests.corpus.test_json_files import byte_level
from tests.ui.conftest import Opened

Open = Callable[..., Opened]


class Toy:
    """Every ``size`` bytes a token."""

    def __init__(self, name: str, size: int) -> None:
        self.facts, self._size = TokenizerFacts(name, f"<b>{name}", "a licence", "a test", 256), size

    def pieces(self, text: str) -> list[Piece]:
        data = text.encode()
        cut = [data[place : place + self._size] for place in range(0, len(data), self._size)]
        return [Piece(each[0], each, kind_of(each)) for each in cut]

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        return [[piece.id for piece in self.pieces(text)] for text in texts]


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> None:
    toys = {name: Toy(name, size) for name, size in (("one", 1), ("four", 4))}
    monkeypatch.setattr(page_session, "present", lambda: tuple(toys))
    monkeypatch.setattr(page_session, "packaged", toys.__getitem__)
    monkeypatch.setattr("playground.ui.languages_page.strips.absent", lambda: {"gone": "Gone is not here: do this."})


def open_languages(open_app: Open, tab: str = "One sentence, every tokenizer", **query: str) -> Opened:
    app = open_app(query, run=False)
    app.at.switch_page("../../pages/data_languages.py")
    return app.hold(data_languages_section=tab)


def said(app: Opened) -> str:
    return app.texts().replace("\\", "")


def test_a_sentence_is_cut_by_every_tokenizer_and_what_is_no_character_is_marked(open_app: Open) -> None:
    app = open_languages(open_app, text="é\u0301<i>x")
    strips = [app.component(f"strip_{number}_{name}")["tokens"] for number, name in enumerate(("one", "four"))]
    assert [token["text"] for token in strips[0][:4]] == ["<0xC3>", "<0xA9>", "<0xCC>", "<0x81>"]
    assert strips[0][0]["kind"] == "prompt special" and strips[1][1]["text"] == "<i>x"
    assert "2 tokens · 4.00 bytes a token" in said(app) and "Gone is not here" in said(app)
    assert "**<b>one" not in app.texts()  # escaped
    assert "tokens**: pieces of text" in said(
        app
    ) and "This text is **2** of them for <b>four and **8** for <b>one." in said(app)


def test_premiums_are_drawn_and_one_language_is_said_in_words(open_app: Open) -> None:
    tab = "The same text in many languages"
    app = open_languages(open_app, tab, language="mya", tokenizer="four")
    for shows in ("heat", "map", "bars", "table"):
        app.put(LanguagesState(language="mya", tokenizer="four", shows=shows))
        app.run()
        assert not app.errors and "**Burmese** takes **4.2" in said(app)
    table = app.at.dataframe[0].value
    assert len(table) == len(declaration().languages) and table.iloc[0]["language"] == "Shan"


def test_an_uploaded_text_takes_the_declarations_place_and_says_what_is_odd(open_app: Open) -> None:
    rows = [{"language": code, "key": "1", "text": text} for code, text in (("eng", "abcd"), ("<x>", "abcdabcd"))]
    app = open_languages(open_app, "The same text in many languages", tokenizer="four")
    app.put(UsedText(read_parallel("\n".join(map(json.dumps, rows)).encode())))
    app.run()
    assert not app.errors and "2 languages; the baseline is eng" in said(app)
    app.put(LanguagesState(shows="map", language="<x>", read=("<x>",), tokenizer="four"))
    app.run()
    assert not app.errors and "it has no map" in said(app)
    query = app.component("address")["query"]
    assert "shows=map" in query and "language=" not in query and "read=" not in query, "a name that is the reader's own"


def test_a_link_with_nonsense_is_told(open_app: Open) -> None:
    app = open_languages(open_app, tokenizer="no\nname", shows="pie")
    assert any("no name of a tokenizer" in error for error in app.errors) and any(
        "pie" in error for error in app.errors
    )


@pytest.mark.parametrize("language", ["zzz", "eng"])
@pytest.mark.parametrize("tab", ["The same text in many languages", "What it costs", "What the model knows"])
def test_a_link_to_a_language_that_cannot_be_looked_at_shows_another_and_says_so(
    open_app: Open, tab: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.ui.languages_page.costs._timing", lambda worker: None)
    app = open_languages(open_app, tab, language=language)
    assert not app.errors and app.state(LanguagesState).language == "mya"


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("llama4", "Llama 4 is not here: its package llama-models is not"),
        ("mine/x", "'mine/x' of the link is not among"),
    ],
)
@pytest.mark.parametrize("tab", ["The same text in many languages", "What it costs"])
def test_a_link_to_a_tokenizer_that_is_not_here_shows_another_and_says_so(
    open_app: Open, tab: str, named: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.ui.languages_page.costs._timing", lambda worker: None)
    missing = {"llama4": "Llama 4 is not here: its package llama-models is not installed; run `make tokenizers`."}
    monkeypatch.setattr(page_session, "absent", lambda: missing)
    app = open_languages(open_app, tab, language="mya", tokenizer=named)
    assert not app.errors and app.state(LanguagesState).tokenizer == "one"
    infos = [each.value.replace("\\", "") for each in app.at.info]
    assert sum(reason in each and "one is shown in its place." in each for each in infos) == 1, infos
    app.run()
    assert not any("in its place" in each.value for each in app.at.info)


def test_a_tokenizer_with_a_name_of_any_kind_can_be_chosen(open_app: Open) -> None:
    app = open_languages(open_app, "The same text in many languages", language="mya", tokenizer="one")
    app.put(OwnTokenizers({"my/own model": Toy("my/own model", 2)}))
    app.run().at.selectbox(key="LanguagesState.tokenizer").select("my/own model")
    app.run()
    assert not app.errors and app.state(LanguagesState).tokenizer == "my/own model"
    assert "with <b>my/own model, its **premium**" in said(app) and "own" not in app.component("address")["query"]


def test_without_any_tokenizer_the_page_says_how_to_get_one(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_session, "present", lambda: ())
    app = open_languages(open_app, "The same text in many languages")
    assert any("make tokenizers" in error for error in app.errors)


def test_what_the_premium_costs_is_arithmetic_on_the_counts(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.languages_page.costs._timing", lambda worker: None)
    app = open_languages(open_app, "What it costs", language="mya", tokenizer="one", against="four", amount="1000")
    assert not app.errors
    (table,) = [each.value for each in app.at.markdown if "| Tokens" in each.value]
    lines = [[cell.strip().replace("\\", "") for cell in line.strip("|").split("|")] for line in table.splitlines()]
    rows = {name: cells for name, *cells in lines}
    assert rows[""] == ["English", "Burmese with <b>one", "Burmese with <b>four"] and rows["---"] == ["--:"] * 3
    assert rows["Tokens"] == ["1,000", "4,230", "4,229"] and rows["Written in"] == ["not known"] * 3
    assert ["does not fit" in each for each in rows["Of the context"]] == [False, True, True]
    bars = app.component("languages_cost_bars")
    assert len(bars["bars"]) == 3 and "English: 1,000; " in bars["label"] and "<b>four: 4,229." in bars["label"]
    assert rows["1,000 texts"][0] == "$0.60" and "gpt-4o-mini" in said(app) and "<b>" not in table


def test_bits_per_meaning_are_bits_a_byte_times_the_bytes(open_app: Open, engine: FakeEngine) -> None:
    query = {"read": '["mya"]', "articles": "1", "language": "deu_1996"}
    app = open_languages(open_app, "What the model knows", **query)
    assert "reads the first text in 2 languages" in said(app) and not app.at.dataframe
    app.at.button(key="languages_read").click()
    app.run()
    assert not app.errors
    table = app.at.dataframe[0].value
    texts = {code: declaration().languages[code].texts["1"] for code in ("eng", "mya")}
    text_bits = dict(
        zip(texts, finish(bits_job(list(texts.values()), BitsStore())(engine, CancelToken())), strict=True)
    )
    ratio = len(texts["mya"].encode()) / len(texts["eng"].encode())
    assert table["byte"].iloc[1].startswith(f"{text_bits['mya'].per_byte:.2f} (")
    assert table["meaning"].iloc[1].startswith(f"{text_bits['mya'].per_byte * ratio:.2f} (")
    assert {"next_eng", "next_deu_1996"} <= {each.key for each in app.at.get("bidi_component")}


def test_answers_in_another_language_are_counted(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken = (
        answer_of("de", "Warum?", "Because the yeast makes gas, which blows the dough up."),
        answer_of("en", "Why?", "Because the yeast makes gas, which blows the dough up."),
        answer_of("en", "Why?", "42"),
    )
    assert [each.elsewhere for each in spoken] == [True, False, False] and counted(spoken) == {
        "de": (1, 1),
        "en": (0, 1),
    }
    monkeypatch.setattr("playground.ui.languages_page.knowledge.answers_job", lambda engine, cancel: spoken)
    app = open_languages(open_app, "What the model knows", articles="1")
    app.at.button(key="languages_ask").click()
    app.run()
    assert not app.errors and "**1 of 2** answers are in another language" in app.texts()
    table = app.at.table[0].value
    assert table["Answered"].iloc[0].startswith("**English**: Because") and "Too short" in table["Answered"].iloc[2]


def test_a_text_is_not_broken_off_before_a_mark_without_its_letter() -> None:
    assert end_of("क" + "ा" * 3 + "b" * 58) == "… " + "b" * 58 and end_of("\u200dab" + "c" * 58)[:3] == "… a"
    assert end_of("of it " + "word " * 12).startswith("… word")


def test_translation_in_the_middle_says_its_figures(open_app: Open) -> None:
    app = open_languages(open_app, "Translation in the middle")
    assert not app.errors and "8 sentences become 1" in app.texts() and "3.00 bits" in app.texts()
    drawn = [node.text for node in fromstring(middle_svg()).iter() if node.text]
    assert all(f"{each.vietnamese} ({each.own} · {each.other})" in drawn and each.who in drawn for each in ADDRESSES)
    assert drawn.count(ENGLISH) == 1 and all(each.who in middle_description() for each in ADDRESSES)


def test_what_experiments_say_of_tokenizers_is_what_those_do() -> None:
    def cut(name: str, text: str) -> list[str]:
        return [piece.data.decode(errors="replace") for piece in packaged(name).pieces(text)]

    number, longer = EXPERIMENTS["digits"].state["sentence"].split()[2:8:5]
    assert (number, longer) == ("3141592", "31415926")
    for name in ("smollm2", "qwen3", "gemma3"):
        assert cut(name, "a" + number)[1:] == list(number)
    for name in ("cl100k", "llama3", "llama4", "o200k"):
        assert cut(name, "a" + number)[1:] == ["314", "159", "2"] and cut(name, "a" + longer)[1:3] == ["314", "159"]
    assert cut("rwkv", "a" + number)[-4:] == ["31", "41", "59", "2"]
    family = EXPERIMENTS["bytes"].state["sentence"].split()[0]
    assert (len(family), len(family.encode())) == (7, 25)
    text = declaration()
    burmese = {name: CountStore().count(text, packaged(name))["mya"] for name in ("smollm2", "gemma3")}
    said = [f"{own / base:.1f}" for own, base in burmese.values()]
    assert said == ["21.8", "3.2"] and f"{said[0]} times the English tokens" in EXPERIMENTS["burmese"].look
    assert f"{said[1]} times with Gemma" in EXPERIMENTS["burmese"].look
    assert all(any(piece.kind == "bytes" for piece in packaged(name).pieces(family + " ᚠᛇᚻ 𓂀")) for name in present())


def test_an_experiment_opens_its_tab_with_its_text(open_app: Open) -> None:
    app = open_languages(open_app)
    for name, experiment in EXPERIMENTS.items():
        app.at.button(key=f"try_data_languages_{name}").click()
        app.run()
        assert experiment.look in said(app)
        state = app.state(LanguagesState)
        assert all(getattr(state, field) == value for field, value in experiment.state.items())


def test_what_is_personal_is_cut_and_stands_in_no_link(open_app: Open) -> None:
    app = open_languages(open_app, text="Hello.")
    assert app.component("address")["query"].endswith("text=Hello.") and "personal data" not in said(app)
    app.put(LanguagesState(sentence="Write to jane.doe@example.org."))
    app.run()
    assert "There is personal data in this text" in said(app) and app.component("strip_1_four")["tokens"]
    assert "jane" not in app.component("address")["query"]


def test_a_tokenizer_of_ones_own_stands_beside_the_others(open_app: Open) -> None:
    app = open_languages(open_app, text="hello")
    app.hold(own_tokenizers=True)

    def upload(name: str, data: bytes) -> None:
        app.at.file_uploader(key="own_tokenizer_file").upload(name, data, "application/json")
        app.run().at.button(key="own_tokenizer_add").click()
        app.run()

    upload("broken.json", b'{"version": "9.0", "model": {}}')
    assert "is written in version '9.0' of the format, and 1.0 is read" in app.errors[0].replace("\\", "")
    assert not app.state(OwnTokenizers).opened
    upload("<i>mine.json", byte_level().to_str().encode())
    assert not app.errors and list(app.state(OwnTokenizers).opened) == ["<i>mine.json"]
    strip = app.component("strip_2_<i>mine.json")["tokens"]
    assert [token["text"] for token in strip] == ["he", "ll", "o"]
    assert "**<i>mine" not in app.texts()  # escaped
    app.put(LanguagesState(sentence="hello", tokenizer="<i>mine.json"))
    app.run().at.button(key="own_away_<i>mine.json").click()
    app.run()
    assert not app.state(OwnTokenizers).opened and app.state(LanguagesState).tokenizer == LanguagesState().tokenizer
    close_children()


def test_a_tokenizer_that_cannot_read_the_text_is_told_and_the_others_are_counted(open_app: Open) -> None:
    class Broken(Toy):
        def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
            raise BadInput("The tokenizer 'mine' cannot be used: it needs more than 20 seconds of computing.")

    app = open_languages(open_app, "The same text in many languages", language="mya", tokenizer="four")
    app.put(OwnTokenizers({"mine": Broken("mine", 2)}))
    app.run()
    assert not app.errors and "**Burmese** takes **4.2" in said(app)
    assert "it needs more than 20 seconds of computing" in said(app)


def test_a_text_that_nothing_can_count_leaves_the_way_back(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.corpus.tokenizer.LONGEST_TEXT", 3)
    rows = [{"language": code, "key": "1", "text": "abcdef"} for code in ("eng", "x")]
    app = open_languages(open_app, "The same text in many languages")
    monkeypatch.setattr(Toy, "encode_all", lambda self, texts: check_texts(texts))
    app.put(UsedText(read_parallel("\n".join(map(json.dumps, rows)).encode())))
    app.hold(own_parallel=True)
    assert len(app.errors) == 1 and "6 characters; at most 3 are tokenized at once" in app.errors[0]
    app.at.button(key="own_parallel_back").click()
    app.run()
    assert not app.errors and "78 languages; the baseline is English" in said(app)


@pytest.mark.parametrize(
    ("tab", "begins"),
    [
        ("One sentence, every tokenizer", ["tokens", "--text=-x 'it' $HOME"]),
        ("The same text in many languages", ["languages"]),
        ("What it costs", ["languages"]),
    ],
)
def test_take_away_has_the_command_that_counts_the_same(open_app: Open, tab: str, begins: list[str]) -> None:
    app = open_languages(open_app, tab, text="-x 'it' $HOME").hold(take_away=True)
    (line,) = [each.value for each in app.at.code if each.value.startswith("python -m playground")]
    words = shlex.split(line)[3:]
    assert not app.errors and words == begins
    args = build_parser(words[0]).parse_args(words)
    assert getattr(args, "text", None) in (None, "-x 'it' $HOME")
