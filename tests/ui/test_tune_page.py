"""The page Tune through Streamlit's own test double: the seven steps, and the draft that they share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pages import PAGES
from playground.engine.api import Stream
from playground.engine.factory import make_engine
from playground.engine.fake.engine import fake_info
from playground.engine.fake.served import ServedFakeEngine
from playground.generation.document import origin_of
from playground.sampling.settings import SamplerSettings
from playground.state.setup import Setup
from playground.state.tune import TuneState
from playground.store.place import DATA_VARIABLE
from playground.tuning.examples import Example
from playground.tuning.following import follow_reference
from playground.tuning.plan import read_plan
from playground.tuning.runs import TuningStore
from playground.ui.tune_page.experiments import EXPERIMENTS, USUAL
from playground.ui.tune_page.session import Draft, ready_examples
from playground.ui.tune_page.steps import REACH
from tests.ui.conftest import Opened

TABS = [section.title for section in PAGES["tune"].sections.values()]


def open_tune(open_app: Callable[..., Opened], tab: str = "", **query: str) -> Opened:
    app = open_app(query, run=False)
    app.at.switch_page("../../pages/tune.py")
    return app.hold(tune_section=tab or TABS[0])


class Chats(ServedFakeEngine):
    """Streams and tells no rows, as a provider's chats."""

    @property
    def facets(self) -> frozenset[type]:
        return frozenset({Stream})


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_draws_with_nothing_run_yet_on_an_engine_that_only_streams(
    open_app: Callable[..., Opened], tab: str
) -> None:
    app = open_app(opener=lambda choice, progress: Chats(), run=False)
    app.at.switch_page("../../pages/tune.py")
    app.hold(tune_section=tab)
    if tab == REACH:
        (problem,) = app.errors
        assert "choose a" in problem
    else:
        assert not app.errors


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_sets_its_scene_and_leaves_what_is_the_reader_s(
    open_app: Callable[..., Opened], name: str
) -> None:
    app, each = open_tune(open_app, tuning="0" * 32), EXPERIMENTS[name]
    app.put(Draft(examples=(Example("mine"),), others={"mine": SamplerSettings(top_k=3)}, seed=7))
    app.run()
    app.at.button(key=f"try_tune_{name}").click()
    app.run()
    app.hold(tune_section=PAGES["tune"].sections[each.section].title)
    assert each.label in app.texts() and app.state(Setup).settings == each.setup["settings"]
    shown, draft = app.state(TuneState), app.state(Draft)
    assert all(getattr(shown, field) == value for field, value in each.state.items())
    if name == "forbids":  # Plan looks for the tuning of the link, and there is none of this id
        assert shown.tuning == "0" * 32
    assert draft.examples == ready_examples()
    assert list(draft.others) == (["mine"] if name == "forbids" else ["a little cooler"])
    app.hold(tune_section=TABS[0])
    app.at.button(key="tune_back").click()
    app.run()
    assert app.state(Draft).examples == (Example("mine"),)


@pytest.mark.model
def test_of_the_bundled_model_s_references_the_usual_top_p_could_have_written_none(bundled_model_path: Path) -> None:
    engine = make_engine(str(bundled_model_path), dtype="float32")
    for settings, count in ((USUAL, 0), (USUAL.replace(temperature=2.0), 4)):
        reaches = [follow_reference(engine, example, settings, chat=True)[1] for example in ready_examples()]
        assert sum(reach.kept.all() for reach in reaches) == count


def test_every_page_with_controls_of_its_own_has_something_to_try() -> None:
    assert {name for name, page in PAGES.items() if not page.experiments} == {"room", "glossary"}


def test_a_step_that_is_missing_leads_to_the_one_before(open_app: Callable[..., Opened]) -> None:
    app = open_tune(open_app, "Results")
    app.held.clear()
    app.at.button(key="tune_to_Plan").click()
    app.run()
    assert app.at.session_state["tune_section"] == "Plan"


@pytest.mark.parametrize("link", ["0" * 32, "../../x<b>", "another's"])
def test_a_link_to_a_tuning_that_is_not_there_or_another_s_is_one_sentence_on_every_tab(
    open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, link: str
) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    if link == "another's":
        plan, store = read_plan({"examples": [{"prompt": "a"}], "settings": {"b": {}}}, lambda name: ()), "maria"
        link = TuningStore(store).start(plan, origin_of(fake_info()), "Hers")
    for tab in TABS:
        app = open_tune(open_app, tab, tuning=link)
        shown_text = "\n".join([*app.errors, *(str(each.value) for each in app.at.warning)])
        said = shown_text.count("There is no such tuning") + shown_text.count("link's tuning is no name")
        needs = tab in ("Plan", "Results", "Judge", "Decision")
        assert said == 1 if needs else said <= 1, (tab, shown_text)
        assert "Hers" not in app.texts()


def test_the_present_setting_of_the_draft_is_what_the_samplers_of_all_pages_say(
    open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    from playground.ui.kit import session
    from playground.ui.tune_page.session import adopt_plan, draft_plan

    states: dict[object, object] = {}
    monkeypatch.setattr(session, "_states", lambda: states)
    cool = SamplerSettings(temperature=0.4, top_p=0.9)
    session.put(Setup(settings=cool))
    session.put(Draft(others={"hot": SamplerSettings(temperature=2.0)}, require={"checks": 0.5}, seed=7))
    plan = draft_plan()
    assert dict(plan.settings) == {"present": cool, "hot": SamplerSettings(temperature=2.0)}
    assert len(plan.examples) == 4 and plan.chat and plan.seed == 7

    def no_file(name: str) -> tuple[()]:
        raise AssertionError(name)

    other = read_plan({"examples": [{"prompt": "a"}], "settings": {"today": {"top_k": 5}, "b": {}}}, no_file)
    adopt_plan(other)
    assert draft_plan() == other
    assert session.get(Setup).settings == SamplerSettings(top_k=5)
