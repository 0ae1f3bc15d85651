"""The page Domains on an engine with known numbers: every figure is the engine's own, uploads and their refusals."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.charts.domain_pictures import IntervalRows, intervals_description, intervals_figure
from playground.corpus import bits
from playground.corpus.bits import BitsInterval, BitsStore, bits_job, within_text
from playground.corpus.domains import DomainSample, OwnTexts, samples
from playground.engine.api import CancelToken, Engine, Score
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.pieces import finish
from playground.engine.serving.loading import Loading, ModelChoice
from playground.models.adapter_files import list_adapters
from playground.models.naming import ComparedModel
from playground.state.domains import DomainsState
from playground.state.setup import Setup
from playground.store.adapters import new_adapter
from playground.ui import runtime
from playground.ui.domains_page import session as page_session
from playground.ui.domains_page.sections import demonstrations_of
from playground.ui.examples_page.session import TeachDraft
from playground.ui.kit.jobs import Pending
from tests.models.test_adapters import write_adapter
from tests.ui.conftest import Opened
from tests.ui.openings import Openings
from tests.ui.test_adapters import FOR_BUNDLED

Open = Callable[..., Opened]


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> BitsStore:
    """A store of the test's own, in which nothing is known."""
    store = BitsStore()
    monkeypatch.setattr(page_session, "STORE", store)
    monkeypatch.setattr(page_session, "bits_job", lambda texts: bits.bits_job(texts, store))
    monkeypatch.setattr(
        page_session, "samples", lambda: tuple(each for each in samples() if each.domain in ("sql", "chat"))
    )
    return store


def open_domains(
    open_app: Open, tab: str = "Bits per byte", own: tuple[DomainSample, ...] = (), **query: str
) -> Opened:
    app = open_app(query, run=False)
    app.at.switch_page("../../pages/data_domains.py")
    app.put(OwnTexts(own))
    return app.hold(data_domains_section=tab)


def test_bars_table_and_strip_say_what_the_engine_says(open_app: Open, engine: FakeEngine) -> None:
    own = (DomainSample("mine", "<b>mine", "abcabc", "yours"),)
    app = open_domains(open_app, own=own, domain="mine")
    app.hold(domain_table_box=True)
    assert not app.errors
    (legend,) = [each.proto.body for each in app.at.get("html") if "Surprise" in each.proto.body]
    assert "bits or more" in legend and "nats" not in legend + app.texts(), "one unit on the page"
    texts = ["abcabc", *(each.text for each in samples() if each.domain in ("sql", "chat"))]
    text_bits = finish(bits_job(texts, BitsStore())(engine, CancelToken()))
    table = app.at.dataframe[0].value
    assert sorted(table["byte"]) == pytest.approx(sorted(each.per_byte for each in text_bits))
    strip = app.component("domain_strip")["tokens"]
    assert len(strip) == len(text_bits[0].ids) and "not counted" in strip[0]["label"]
    assert f"{text_bits[0].bits[1]:.2f} bits" in strip[1]["label"]
    assert within_text(text_bits[0]).value == pytest.approx(text_bits[0].per_byte)


def test_a_text_of_one_token_is_left_out_and_named(open_app: Open) -> None:
    app = open_domains(open_app, own=(DomainSample("mine", "<b>mine", "é", "yours"),), domain="mine")
    app.hold(domain_table_box=True)
    assert not app.errors and "a single token" in app.texts() and "nan" not in app.texts().lower()
    assert sorted(app.at.dataframe[0].value["text"]) == ["Chat", "Code: SQL"]


def test_it_is_read_once_and_a_second_look_asks_nothing(open_app: Open, engine: FakeEngine) -> None:
    app = open_domains(open_app)
    calls = len(engine.calls)
    app.run()
    assert len(engine.calls) == calls and not app.errors


def test_what_is_not_there_needs_nobody(open_app: Open) -> None:
    app = open_domains(open_app, "What is not there")
    assert not app.errors and "unknown" in app.texts()


@pytest.mark.parametrize("engine", [FakeEngine(lacks=frozenset({Score}))])
def test_an_engine_that_cannot_score_is_told_of_in_a_sentence(open_app: Open, engine: FakeEngine) -> None:
    app = open_domains(open_app)
    assert any("Log-probabilities of a given text" in error.replace("\\", "") for error in app.errors)


class Apart(Openings):
    """Each its own revision, by which what was read is remembered."""

    def __call__(self, choice: ModelChoice, loading: Loading) -> Any:  # noqa: ANN401 - fakes of several classes
        engine = super().__call__(choice, loading)
        engine._info = replace(engine.info, revision=f"fake {choice}")
        return engine


def test_two_models_beside_are_read_and_the_gap_is_explained(open_app: Open, engine: FakeEngine) -> None:
    openings = Apart()
    openings.gate.set()
    app = open_app({"domain": "sql"}, run=False, opener=openings)
    app.at.switch_page("../../pages/data_domains.py")
    app.hold(data_domains_section="Bits per byte")
    app.put(Setup(beside=(ComparedModel(dtype="bfloat16"), ComparedModel("other/vocabulary"))))
    app.run()
    for letter in "XY":
        app.at.button(key=f"load_{letter}").click()
        app.run()
    assert not app.errors and len(openings.engines) == 3
    (sql,) = (each.text for each in samples() if each.domain == "sql")
    for letter, other in zip("XY", list(openings.engines.values())[1:], strict=True):
        (text_bits,) = finish(bits_job([sql], BitsStore())(other, CancelToken()))
        said = next(line for line in app.texts().replace("\\", "").splitlines() if f"SQL: {letter} (" in line)
        assert f"({text_bits.per_byte:.3f} against " in said
        assert ("Both cut the text alike" in said) == (letter == "X")
    app.at.button(key="unpin_X").click()
    assert len(app.run().state(Setup).beside) == 1


def test_figures_of_several_models_stand_behind_their_intervals_and_of_one_above() -> None:
    spread = (BitsInterval(1.0, 0.5, 2.0), BitsInterval(2.0, 1.5, 2.5))
    (alone,) = intervals_figure(IntervalRows(("a", "b"), {"": spread})).data
    assert list(alone.text) == ["1.00", "2.00"]
    marks, figures, other, behind = intervals_figure(IntervalRows(("a", "b"), {"": spread, "X": spread})).data
    assert marks.text is None and list(figures.x) == [2.0, 2.5] and list(figures.y) == list(marks.y)
    assert [each.strip() for each in behind.text] == ["X 1.00", "X 2.00"] and other.mode == "markers"


class Halfway:
    """Work that goes on."""

    done, doing, queue, stop = False, "It reads", "", None

    def fraction(self) -> float:
        return 0.5

    def when_done(self, tell: Callable[[], None]) -> None:
        """Never."""


def test_what_has_been_read_is_shown_while_the_rest_is(
    open_app: Open, engine: FakeEngine, nothing_known: BitsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reads(*_: object) -> None:
        raise Pending("bits", Halfway())

    monkeypatch.setattr("playground.ui.domains_page.sections.bits_of", reads)
    app = open_domains(open_app)
    (chart,) = app.at.get("plotly_chart")
    assert not app.errors and "bits a byte" in app.texts()
    names = json.loads(chart.proto.spec)["layout"]["yaxis"]["ticktext"]
    assert names == ["Code: SQL", "Chat"] and not json.loads(chart.proto.spec)["data"][0]["text"]
    (sql,) = (each for each in samples() if each.domain == "sql")
    finish(bits.bits_job([sql.text], nothing_known)(engine, CancelToken()))
    app.run()
    (chart,) = app.at.get("plotly_chart")
    shown = json.loads(chart.proto.spec)
    assert shown["layout"]["yaxis"]["ticktext"][0] == sql.name and len(shown["data"][0]["text"]) == 1
    some = IntervalRows((), {"": ()}, waiting=("a", "b"))
    assert intervals_description(some).endswith(" To come: a, b.")


def test_a_weak_domain_goes_to_examples_as_demonstrations(open_app: Open) -> None:
    app = open_domains(open_app)
    app.put(DomainsState(domain="sql"))
    app.run()
    app.at.button(key="domain_teach").click()
    app.held.clear()
    app.run()
    assert not app.errors and app.at.title[0].value == "Examples"
    assert app.at.session_state["teach_examples_section"] == "Demonstrations"
    (sql,) = (each.text for each in samples() if each.domain == "sql")
    assert app.state(TeachDraft).rows == demonstrations_of(sql) and len(demonstrations_of(sql)) > 1


def test_uploads_are_masked_told_and_named_in_no_link(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bits, "MOST_TOKENS", 5_000)
    app = open_domains(open_app, domain="sql")
    app.hold(own_domains=True)

    def upload(data: bytes) -> None:
        app.at.file_uploader(key="own_domains_file").upload("texts.jsonl", data, "application/json")
        app.run().at.button(key="own_domains_use").click()
        app.run()

    for data, message in (
        (gzip.compress(b"a" * 10_000_000), "packed"),
        (b'{"domain": "a"\x00}', "NUL"),
        (b'{"domain": "a", "text": "\\ud83d"}', "half a character"),
        (b'{"domain": "a", "text": " "}', "not empty"),
        (b'{"domain": "a", "text": "b"', "Line 1 is not a JSON object"),
        (b'{"domain": "a", "text": "' + b"hi " * 3_000 + b'"}', "5,000 tokens, which the first"),
    ):
        upload(data)
        assert len(app.errors) == 1 and message in app.errors[0] and not app.state(OwnTexts).texts
    upload('{"domain": "jane.doe@example.org", "text": "Pay with 4111 1111 1111 1111. שלום e\u0301"}'.encode("utf-16"))
    assert not app.errors and "1 card number, 1 mail address" in app.texts()
    (own,) = app.state(OwnTexts).texts
    app.put(DomainsState(domain=own.domain))
    app.run()
    strip = "".join(token["text"] for token in app.component("domain_strip")["tokens"])
    assert "4111" not in strip and [each for each in strip if each in "שלום"] == list("שלום")
    assert "domain" not in app.component("address")["query"]
    app.at.button(key="own_domains_away").click()
    app.run()
    assert not app.state(OwnTexts).texts and app.state(DomainsState) == DomainsState(), "nothing shows what is gone"


def test_what_was_taught_with_a_text_is_pinned_beside_with_one_press(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def adapted(choice: ModelChoice, base: Engine, at_rest: object) -> Engine:
        engine = FakeEngine(lambda ids: default_logits(ids) * 2)
        engine._info = replace(engine.info, name="taught", revision=f"taught {choice.spec}")
        return engine

    monkeypatch.setattr(runtime, "_open_adapted", adapted)
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    monkeypatch.delenv("PLAYGROUND_MODEL", raising=False)
    for name in ("domain Chat", "domain Code: SQL", "tone"):
        write_adapter(new_adapter("local", name), FOR_BUNDLED)
    (wanted,) = (each for each in list_adapters("local") if each.name == "domain Code: SQL")
    app = open_domains(open_app, domain="sql")
    app.at.button(key="domain_taught").click()
    app.run()
    assert not app.errors and app.state(Setup).beside == (ComparedModel(f"+{wanted.id}"),)
    shown_text = app.texts().replace("\\", "")
    assert "SQL: X (taught) needs " in shown_text and "Both cut the text alike" in shown_text
    assert "domain_taught" not in {each.key for each in app.at.button}
    app.put(DomainsState(domain="chat"))
    app.run()
    assert "domain_taught" in {each.key for each in app.at.button}


def test_take_away_has_the_command_that_reads_the_same_texts(open_app: Open) -> None:
    app = open_domains(open_app).hold(take_away=True)
    assert [each.value for each in app.at.code][1] == "python -m playground domains"
    own = open_domains(open_app, own=(DomainSample("mine", "mine", "abc", "yours"),)).hold(take_away=True)
    assert "give it your file" in own.texts()
