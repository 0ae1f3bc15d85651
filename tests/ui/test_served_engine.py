"""Every page on an engine that only streams and tells the top of a row: it works, or says in one sentence what is missing."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from pages import PAGES
from playground.charts.run_html import run_html
from playground.constraint import Constraint
from playground.engine.api import CancelToken, Stream
from playground.engine.fake.served import ServedFakeEngine
from playground.engine.types import StreamedToken, StreamEvent, StreamRequest
from playground.generation import GenerationRequest
from playground.generation.document import Run
from playground.generation.document_reading import from_json
from playground.generation.document_writing import to_csv, to_json
from playground.generation.streams import stream_request
from playground.models.info import ModelInfo
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.state.generate import GenerateState
from playground.state.sampling import Pins
from playground.state.setup import DEFAULT_PROMPT, Setup
from playground.ui.generate_page.session import ALTERNATIVES, GenerateSession, PendingAction, _Sessions
from tests.ui.conftest import Opened

OF_A_MODEL = {name: spec for name, spec in PAGES.items() if spec.needs}
TABS = [(name, "") for name in PAGES] + [
    (name, tab) for name, spec in OF_A_MODEL.items() for tab in list(spec.sections)[1:]
]
NO_VOTES = "No vote has a winner yet"  # where preferences are taught


@pytest.mark.parametrize(("name", "tab"), TABS)
def test_a_page_works_or_says_in_one_sentence_what_is_missing(
    open_app: Callable[..., Opened], name: str, tab: str
) -> None:
    """Each of its tabs; "" is the one that it opens with."""
    spec = PAGES[name]
    app = open_app(opener=lambda choice, progress: ServedFakeEngine(), run=False)
    app.at.switch_page(f"../../pages/{name}.py")
    if tab:
        app.at.session_state[spec.section_key] = spec.sections[tab].title
    app.run()
    assert not app.at.exception and len(app.errors) <= 1, app.errors
    for problem in app.errors:
        if not problem.startswith(NO_VOTES):
            assert "Served fake has" in problem or "this engine tells" in problem, problem
            assert "choose a" in problem, problem
    if not spec.needs:
        assert not app.errors


class Chats(ServedFakeEngine):
    """Streams and tells no rows, as a provider's chats."""

    @property
    def facets(self) -> frozenset[type]:
        return frozenset({Stream})


@pytest.mark.parametrize("name", ["generate", "best_of_n"])
def test_pages_of_texts_need_no_rows(open_app: Callable[..., Opened], name: str) -> None:
    app = open_app(opener=lambda choice, progress: Chats(), run=False)
    app.at.switch_page(f"../../pages/{name}.py")
    app.run()
    assert not app.errors


def written(app: Opened, section: str = "write") -> GenerateSession:
    """The Generate page's work in a section, once its text has ended."""

    def done() -> bool:
        work = app.state(_Sessions).get((section, "served-fake"))
        if app.state(PendingAction).what or work is None:
            return False
        if work.stream is not None:
            work.stream.ticket.wait(20)
        return not work.busy

    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, "the text was not finished"
        app.run()
    work = app.state(_Sessions)[section, "served-fake"]
    assert isinstance(work, GenerateSession)
    return work


def open_generate(open_app: Callable[..., Opened], **query: str) -> Opened:
    query = {"new": "6", "ignore_eos": "1", **query}
    app = open_app(query, opener=lambda choice, progress: ServedFakeEngine(), run=False)
    app.at.switch_page("../../pages/generate.py")
    return app.run()


def own_text(settings: SamplerSettings, count: int, generated: tuple[int, ...] = ()) -> list[StreamedToken]:
    """What the engine itself streams after the default prompt."""
    engine = ServedFakeEngine()
    asked = GenerationRequest(
        engine.codec.encode(DEFAULT_PROMPT),
        settings,
        max_new_tokens=count,
        ignore_eos=True,
        top=ALTERNATIVES,
        generated_ids=generated,
    )
    return [event for event in engine.stream(stream_request(asked)) if isinstance(event, StreamedToken)]


def test_the_generate_page_shows_the_engines_own_text_and_what_it_tells(open_app: Callable[..., Opened]) -> None:
    app = open_generate(open_app)
    work, own = written(app), own_text(NEUTRAL, 6)
    assert [(step.id, step.text, step.raw_logprob) for step in work.tree.path(0)] == [
        (token.id, token.text, token.logprob) for token in own
    ]
    assert not app.errors and "samples by itself" in app.texts() and "maximum number of tokens" in app.texts()
    tokens = app.component("generate_strip")["tokens"][-6:]
    for token, own_step in zip(tokens, own, strict=True):
        assert token["background"].startswith("#") and token["table"][0] == ["token", "id", "raw"]
        assert [int(row[1]) for row in token["table"][1:]] == [other for other, _logprob in own_step.top[:7]]
        assert "the engine drew it; it tells no random number" in token["lines"]
        assert not any("u =" in line or "final" in line for line in token["lines"])


def test_a_colour_is_of_a_figure_that_is_told(open_app: Callable[..., Opened]) -> None:
    app = open_generate(open_app)
    written(app)
    for scale, coloured in {"probability": True, "surprise": True, "entropy": False, "rank": False}.items():
        app.put(GenerateState(scale=scale, max_new_tokens=6, ignore_eos=True))
        app.run()
        assert all(
            bool(token.get("background")) == coloured for token in app.component("generate_strip")["tokens"][-6:]
        )


def test_a_branch_goes_on_from_another_told_token(open_app: Callable[..., Opened]) -> None:
    app = open_generate(open_app, temperature="0")
    work = written(app)
    work.selected = 2
    app.run()
    assert "it tells no random number" in app.texts()
    bars = app.component("generate_alternatives")["rows"]
    path = work.tree.path(0)
    assert [row["pick"] for row in bars] == [*(other.id for other in path[2].top), -1]
    assert all(row["final"] == 0 and not row["finalText"] for row in bars)
    other = path[2].top[1]
    app.put(PendingAction("branch", 0, 2, other.id))
    app.run()
    tree = written(app).tree
    taken = (*tree.path_ids(0, 2), other.id)
    after = own_text(NEUTRAL.replace(temperature=0.0), 3, taken)
    assert tree.path_ids(1) == (*taken, *(token.id for token in after))
    assert tree[1].steps[0].raw_logprob == other.raw_logprob and tree[1].steps[0].prob is None
    saved = to_json(_whole(work), ServedFakeEngine().codec)
    run, note = from_json(saved.encode(), ServedFakeEngine().info)
    assert note is None and run.tree == tree


def _whole(work: GenerateSession) -> Run:
    run = work.whole_run()
    assert run is not None
    return run


def test_files_hold_what_is_told_and_no_more(open_app: Callable[..., Opened]) -> None:
    run = _whole(written(open_generate(open_app)))
    codec = ServedFakeEngine().codec
    (first, *_rest) = csv.DictReader(io.StringIO(to_csv(run, codec)))
    assert first["raw_logprob"] and not any(first[name] for name in ("final_prob", "rank", "entropy_nats", "kept", "u"))
    assert "<td></td>" in run_html(run, codec) and "None" not in run_html(run, codec)


def test_settings_the_engine_cannot_be_told_are_one_sentence_and_the_text_stays(
    open_app: Callable[..., Opened],
) -> None:
    app = open_generate(open_app)
    before = written(app).tree
    app.put(Setup(settings=NEUTRAL.replace(dry_multiplier=0.8)))
    app.put(PendingAction("write"))
    app.run()
    work = app.state(_Sessions)["write", "served-fake"]
    assert work.problem is not None and "cannot be told dry_multiplier: leave it out" in work.problem
    assert "samples by itself and cannot be told" in app.texts() and work.tree == before


def test_settings_are_compared_on_it(open_app: Callable[..., Opened]) -> None:
    app = open_generate(open_app)
    written(app)
    cold, warm = NEUTRAL.replace(temperature=0.0), NEUTRAL.replace(temperature=1.5)
    app.put(Pins({"A": cold, "B": warm}))
    app.put(PendingAction("compare"))
    app.at.session_state["generate_section"] = "Compare"
    app.run()
    work = written(app, "compare")
    for place, settings in enumerate((cold, warm)):
        assert [step.text for step in work.tree.path(place)] == [token.text for token in own_text(settings, 6)]
    app.run()
    assert not app.errors and "each text by a request of its own" in app.texts() and "part at token" in app.texts()


def test_a_text_whose_ids_are_not_told_is_shown_and_says_what_cannot_be_done(open_app: Callable[..., Opened]) -> None:
    """Half a character, or a server that tells no ids at all."""

    class Untold(ServedFakeEngine):
        def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
            for event in super().stream(request, cancel=cancel):
                yield StreamedToken(event.row, event.index, event.text) if isinstance(event, StreamedToken) else event

    app = open_app({"new": "4"}, opener=lambda choice, progress: Untold(), run=False)
    app.at.switch_page("../../pages/generate.py")
    app.run()
    work = written(app)
    assert not app.errors and [step.id for step in work.tree.path(0)] == [None] * 4
    tokens = app.component("generate_strip")["tokens"][-4:]
    assert not any(token.get("background") for token in tokens) and "id not told" in tokens[0]["lines"][0]
    work.selected = 2
    app.run()
    assert not app.errors and "did not tell what else could have come" in app.texts()
    assert app.at.button(key="open_in_sampling").disabled
    for what in (PendingAction("branch", 0, 2, 65), PendingAction("continue", 0)):
        app.put(what)
        app.run()
        assert "did not tell the ids" in app.texts()
    run, _note = from_json(to_json(_whole(work), Untold().codec).encode(), Untold().info)
    assert run.tree == work.tree


# -- what a text must match --------------------------------------------------------------------------------------------


class Held(ServedFakeEngine):
    """Has two kinds of constraints and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[StreamRequest] = []

    @property
    def info(self) -> ModelInfo:
        return replace(super().info, constraints=("json_schema", "choice"))

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        self.asked.append(request)
        return super().stream(request, cancel=cancel)


def test_a_text_is_held_to_a_constraint_and_a_broken_one_is_told_at_its_field(open_app: Callable[..., Opened]) -> None:
    engine = Held()
    schema = '{"type": "object"}'
    app = open_app(
        {"new": "4", "match": "json_schema", "pattern": schema}, opener=lambda choice, progress: engine, run=False
    )
    app.at.switch_page("../../pages/generate.py")
    app.run()
    work = written(app)
    assert engine.asked[-1].constraint == Constraint("json_schema", schema) and not app.errors
    box = app.at.selectbox(key="GenerateState.match")
    assert box.options == ["Anything", "JSON schema", "List of choices"]
    app.at.text_area(key="GenerateState.pattern").set_value('{"type": "wrong"}')
    app.run()
    assert len(app.errors) == 1 and "it is no JSON schema" in app.errors[0]
    assert "is not what is chosen now" in app.texts()
    tree = work.tree
    app.put(PendingAction("write"))
    app.run()
    assert any("cannot be used" in error for error in app.errors) and work.tree == tree and len(engine.asked) == 1


def test_where_the_engine_has_no_constraints_one_sentence_says_who_has(open_app: Callable[..., Opened]) -> None:
    app = open_generate(open_app, match="choice", pattern="a")
    written(app)
    app.run()
    assert "Served fake has none (llama.cpp, vLLM and SGLang have some)" in app.texts().replace("\\", "")
    assert any("leave it out" in error for error in app.errors)
    app.at.button(key="constraint_out").click()
    app.run()
    app.put(PendingAction("write"))
    app.run()
    written(app)
    assert not app.state(GenerateState).match
