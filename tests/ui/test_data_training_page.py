"""The page Training data: the sample under the filters, dials, other documents, the model's reading; no text in a link."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable

import numpy as np
import pytest

from playground.cli import main
from playground.corpus import min_k, quality_run, tiny_model
from playground.corpus.quality_run import QualityPlan
from playground.corpus.rules import GROUPS, RULES
from playground.engine.fake.engine import FakeEngine
from playground.state.data_training import FilterState
from playground.ui.training_data_page import contamination_section, corpus, quality_section
from playground.ui.training_data_page.contamination_section import ContaminationView
from playground.ui.training_data_page.corpus import Corpus
from playground.ui.training_data_page.export import filter_words
from playground.ui.training_data_page.quality_section import QualityView
from tests.ui.conftest import Opened
from tests.ui.test_tune_plan import until

OpenApp = Callable[..., Opened]


def opened(open_app: OpenApp, tab: str = "Documents", **state: object) -> Opened:
    app = open_app(run=False)
    app.at.switch_page("../../pages/data_training.py")
    app.hold(data_training_section=tab)
    if state:  # a page that is opened takes its state from the link
        app.put(FilterState(**state))  # type: ignore[arg-type]
        app.run()
    return app


def kept(app: Opened) -> str:
    """The headline above the bars, as the browser writes it."""
    removed = app.component("data_removed")
    return f"{removed['kept']} of {removed['total']} documents are kept"


def test_a_dial_moves_verdicts_and_runs_no_model(open_app: OpenApp, engine: FakeEngine) -> None:
    app = opened(open_app)
    removed = app.component("data_removed")
    assert (
        kept(app) == "28 of 51 documents are kept" and 0 < removed["tokens"] < removed["allTokens"] and removed["exact"]
    )
    assert len(removed["rows"]) > 10
    before, values = engine.calls, app.state(Corpus).measured
    app.at.slider(key="dial_gopher-letters").set_value(0.6)
    app.run()
    assert app.state(FilterState).dials == ("gopher-letters:0.6",)
    assert kept(app) == "29 of 51 documents are kept"
    assert engine.calls == before and app.state(Corpus).measured is values
    app.at.button(key="data_published").click()
    assert kept(app.run()) == "28 of 51 documents are kept" and app.state(FilterState).dials == ()


def test_the_browser_is_told_what_each_dial_in_view_would_give(open_app: OpenApp) -> None:
    """Before the first move of any: Python's own picture after a move is what the sweep said of that place."""
    app = opened(open_app)
    before, sweeps = app.component("data_removed"), app.component("data_sweeps")["sweeps"]
    shown = {f"dial_{rule.name}" for rule in GROUPS["gopher-quality"].rules}
    assert set(sweeps) == set(before["dials"]) == shown
    assert all(sweeps[key]["others"] == before["dials"][key]["others"] for key in shown)
    app.at.slider(key="dial_gopher-letters").set_value(0.6)
    app.run()
    after, sweep = app.component("data_removed"), sweeps["dial_gopher-letters"]
    assert [sweep[name][60] for name in ("kept", "tokens")] == [after["kept"], after["tokens"]]
    assert sweep["kept"][80] == before["kept"] == 28 and after["kept"] == 29
    rows = [
        [name, sweep["removed"][60] if row == sweep["row"] else removed, sweep["only"].get(str(row), {60: only})[60]]
        for row, (name, removed, only) in enumerate(before["rows"])
    ]
    assert rows == [list(row) for row in after["rows"]]
    marks = {key: dial["others"] for key, dial in after["dials"].items()}
    moved = "dial_gopher-letters"
    assert marks.pop(moved) == sweep["others"]  # its own sweep holds while it is moved on
    assert all(
        mark != sweeps[key]["others"] for key, mark in marks.items()
    )  # the others' do not, until they are told anew
    assert app.component("data_sweeps")["sweeps"]["dial_gopher-words"]["others"] == marks["dial_gopher-words"]
    app.put(FilterState(group="fineweb", groups=("c4",)))
    app.run()
    assert not app.component("data_removed")[
        "dials"
    ]  # rules that do not hold remove nothing, wherever their dials stand


def test_a_document_is_shown_with_what_offends_and_which_dial_rescues_it(open_app: OpenApp) -> None:
    app = opened(open_app)
    assert "**One dial rescues it**: Words with a letter at 0.699 in place of 0.8." in app.texts()
    menu = app.state(Corpus).measured
    assert menu is not None
    app.at.selectbox(key="data_document_removed").select(menu.ids.index("menu"))
    app.run()
    assert "It fails **8 rules**" in app.texts()
    (shown,) = [each for each in app.at.get("html") if "Read more" in each.proto.body]
    assert "stood there before" in shown.proto.body and "◂" in shown.proto.body


def test_other_documents_are_hostile_and_nothing_of_them_leaves(open_app: OpenApp) -> None:
    app = opened(open_app, groups=("c4",), shown="all")
    text = "<img src=x onerror=alert(1)> jane.doe@example.org **bold** [a](javascript:x)\n---\nAnother.\0 \ud800 "
    app.hold(data_pasting=True)
    app.at.text_area(key="data_paste").set_value(text.replace("\ud800", ""))
    app.run().at.button(key="data_take").click()
    until(app.run(), lambda page: page.state(Corpus).name == "")
    app.held.pop("data_pasting")
    app.at.session_state["data_pasting"] = False
    assert kept(app.run()) == "0 of 2 documents are kept"
    assert any("&lt;img" in each.proto.body for each in app.at.get("html"))
    everything = app.texts() + "".join(each.proto.body for each in app.at.get("html")) + str(dict(app.at.query_params))
    assert "jane.doe" not in everything and "<img" not in everything and "⟨mail address⟩" in everything
    assert "Zero bytes in it were left out" in app.texts()
    listed = app.at.selectbox(
        key="data_document_all1"
    )  # no list that the browser knows: it would show the former one's choice
    assert listed.options == ["1. 1", "2. 2"]
    app.at.button(key="data_sample").click()
    assert "51 documents are kept" in kept(app.run())
    assert len(set(app.at.selectbox(key="data_document_all2").options)) == 51


def test_a_file_that_is_none_is_one_sentence_and_the_old_stays(open_app: OpenApp) -> None:
    app = opened(open_app)
    begun = app.state(Corpus)
    app.hold(data_pasting=True)
    app.at.text_area(key="data_paste").set_value("%PDF-1.7 is no text")
    app.run().at.button(key="data_take").click()
    until(app.run(), lambda page: bool(page.state(Corpus).problem))
    assert (
        app.errors == ["The file is no text: give TXT, JSON lines, CSV, WARC or WET, each also as gz\\."] or app.errors
    )
    assert begun.measured is not None and len(begun.measured) == 51


def test_another_list_of_blocked_words_is_counted(open_app: OpenApp) -> None:
    app = opened(open_app, groups=("words",), group="words")
    app.at.text_area(key="data_blocked").set_value("mattress\n The Water \n\n")
    app.run().at.button(key="data_count").click()
    until(app.run(), lambda page: not page.state(Corpus).busy)
    corpus_now = app.state(Corpus)
    assert corpus_now.blocked == ("mattress", "The Water") and corpus_now.measured is not None
    counted = corpus_now.measured.column("blocked-words")
    whole = range(len(corpus_now.measured))
    texts = [corpus_now.measured.text(place).lower() for place in whole]
    assert [int(value) for value in counted] == [len(re.findall(r"\bmattress\b|\bthe water\b", text)) for text in texts]
    assert (counted > 0).sum() > 0 and kept(app.run()) == f"{51 - int((counted > 0).sum())} of 51 documents are kept"
    app.at.text_area(key="data_blocked").set_value("x" * 61)
    app.run().at.button(key="data_count").click()
    assert "one over 60 letters" in "".join(app.run().errors) and app.state(Corpus).blocked == ("mattress", "The Water")


def test_rules_slices_and_the_model(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "MOST_RATED", 3)
    app = opened(open_app, "Rules")
    assert app.at.dataframe[0].value.iloc[0]["rule"] == RULES["gopher-stop-words"].label
    assert "both remove" in app.texts()
    app = app.hold(data_training_section="Who is removed")
    assert "No slice differs from the rest" in app.texts()
    app.put(FilterState(sliced="language"))
    assert "Other than the rest, after Holm's correction: en" in app.run().texts()
    app = app.hold(data_training_section="Against the model")
    app.at.button(key="data_rate").click()
    until(app.run(), lambda page: not page.state(Corpus).busy)
    assert "Bits a byte on average: kept" in app.run().texts()
    measured = app.state(Corpus).measured
    assert measured is not None and len(app.state(Corpus).surprises) == 3
    assert np.isfinite(measured.column("perplexity")[:3]).all() and np.isnan(measured.column("perplexity")[3:]).all()


def test_an_experiment_sets_the_rules(open_app: OpenApp) -> None:
    app = opened(open_app)
    app.at.button(key="try_data_training_popularity").click()
    app.held.clear()
    app.run()
    assert app.state(FilterState).groups == ("popularity",) and "Only one rule holds" in app.texts()
    assert app.at.session_state["data_training_section"] == "Who is removed"


def test_problems_in_the_documents_and_in_the_model(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contamination_section, "MOST_ASKED", 2)
    monkeypatch.setattr(min_k, "MOST_TOKENS", 24)
    app = opened(open_app, "Contamination")
    assert "**2 of " in app.texts() and "share 8 words in a row with a document" in app.texts()
    app.at.button(key="data_recall_start").click()
    until(app.run(), lambda page: not page.state(ContaminationView).busy)
    assert "false-positive rate of " in app.run().texts()


def test_other_problems_are_sought_without_what_is_personal(open_app: OpenApp) -> None:
    app = opened(open_app, "Contamination")
    measured = app.state(Corpus).measured
    assert measured is not None
    copied = " ".join(measured.text(measured.ids.index("tides")).split()[:12])
    rows = [{"prompt": copied, "reference": "x"}, {"prompt": "Ask jane.doe@example.org why.", "reference": "y"}]
    app.hold(data_problems=True)
    app.at.file_uploader(key="data_problem_file").upload("own.jsonl", b"{", "application/json")
    assert len(app.run().errors) == 1
    data = "\n".join(map(json.dumps, rows)).encode()
    app.at.file_uploader(key="data_problem_file").upload("own.jsonl", data, "application/json")
    app.run().at.button(key="data_take_problems").click()
    app.run()
    assert "**1 of 2 problems** share 8 words in a row with a document; 1 stand there whole" in app.texts()
    assert app.state(ContaminationView).problems[1] == "Ask ⟨mail address⟩ why."


def test_models_are_trained_live_and_stopped(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def short(**fields: object) -> QualityPlan:
        return QualityPlan(size=4_000, **fields | {"passes": 2, "seeds": 1})  # type: ignore[arg-type]

    monkeypatch.setattr(quality_section, "QualityPlan", short)
    monkeypatch.setattr(tiny_model, "BATCH", 1)
    monkeypatch.setattr(quality_run, "HELD_OUT_BYTES", 300)
    app = opened(open_app, "Quality or quantity")
    app.at.button(key="data_quality_start").click()
    until(app.run(), lambda page: not page.state(QualityView).busy and page.state(QualityView).done > 0)
    assert "than clean (one seed says nothing of others" in app.run().texts()
    assert app.state(QualityView).parameters == 139_264
    app.at.button(key="data_quality_start").click()
    app.run()
    view = app.state(QualityView)
    if view.job is not None:
        view.job.stop()
    until(app.run(), lambda page: not page.state(QualityView).busy)


def test_the_command_taken_away_reads_what_the_page_shows(
    open_app: OpenApp, capsys: pytest.CaptureFixture[str]
) -> None:
    """It named a file where the sample was in view, and so could not be run."""
    app = opened(open_app, dials=("gopher-letters:0.6", "popularity:9")).hold(take_away=True)
    (line,) = [each.value for each in app.at.code if each.value.startswith("python -m playground")]
    assert main([*shlex.split(line)[3:], "--json"]) == 0
    assert (
        f"{json.loads(capsys.readouterr().out)['kept']} of 51 documents are kept"
        == kept(app)
        == "29 of 51 documents are kept"
    )


def test_a_command_names_a_file_only_where_there_is_one() -> None:
    state = FilterState(groups=("words", "perplexity"), language="de")
    words = filter_words(state, Corpus(name="mine.jsonl", blocked=("x",)))
    assert words[:5] == ["filter", "--text-file", "F.jsonl", "--rules", "words,perplexity"]
    assert words[5:9] == ["--language", "de", "--blocked-words", "words.txt"]
    assert "--text-file" not in filter_words(FilterState(), Corpus())


def test_without_a_filter_there_is_no_command(open_app: OpenApp) -> None:
    app = opened(open_app, groups=()).hold(take_away=True)
    assert "no command that keeps everything" in app.texts() and len(app.at.code) == 1
