"""The Generate page through Streamlit's own test double, on an engine with known numbers."""

from __future__ import annotations

import dataclasses
import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from playground.engine.fake.codec import EOS_ID, VOCAB
from playground.engine.fake.engine import FakeEngine
from playground.engine.serving.loading import ModelChoice
from playground.engine.types import FloatArray
from playground.generation import GenerationRequest, generate
from playground.generation.document_reading import from_json
from playground.generation.document_writing import to_json
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.state.generate import GenerateState
from playground.state.sampling import Pins
from playground.state.setup import DEFAULT_PROMPT, Setup
from playground.ui.generate_page.experiments import EXPERIMENTS
from playground.ui.generate_page.export import command
from playground.ui.generate_page.session import GenerateSession, PendingAction, _Sessions
from playground.ui.kit import job_view
from tests.ui.conftest import Opened

Open = Callable[..., Opened]
SHORT = {"new": "6", "ignore_eos": "1"}
WRITE, COMPARE = "write", "compare"


def work_of(app: Opened, section: str = WRITE) -> GenerateSession:
    work = app.state(_Sessions)[section, "fake"]
    assert isinstance(work, GenerateSession)
    return work


def until(app: Opened, done: Callable[[], bool], what: str) -> Opened:
    """Look in as the browser's timer would, until the condition holds."""
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, what
        app.run()
    return app


def finished(app: Opened, section: str = WRITE) -> Opened:
    def done() -> bool:
        if not _started(app, section):
            return False
        work = work_of(app, section)
        for ticket in (None if work.stream is None else work.stream.ticket, work.scoring):
            if ticket is not None:
                ticket.wait(20)
        return not work.busy

    return until(app, done, "the text was not finished")


def _started(app: Opened, section: str) -> bool:
    return (section, "fake") in app.state(_Sessions) and not app.state(PendingAction).what


def open_page(open_app: Open, query: dict[str, str] | None = None, **options: Any) -> Opened:
    app = open_app(SHORT | (query or {}), run=False, **options)
    app.at.switch_page("../../pages/generate.py")
    return app.run()


def reference(engine: FakeEngine, prompt: str = DEFAULT_PROMPT, **fields: Any) -> tuple[int, ...]:
    """The same row by the engine itself, alone and without a page."""
    ids = engine.codec.encode(prompt)
    steps = generate(engine, [GenerationRequest(ids, **{"max_new_tokens": 6, "ignore_eos": True, **fields})])
    while True:
        try:
            next(steps)
        except StopIteration as end:
            reference_ids: tuple[int, ...] = end.value.rows[0].ids
            return reference_ids


def strip(app: Opened, key: str = "generate_strip") -> list[dict[str, Any]]:
    tokens = app.component(key)["tokens"]
    assert isinstance(tokens, list)  # what is empty does not travel; the browser says the lines where there is no label
    return [{"background": "", "table": [], "label": ", ".join(token.get("lines", ()))} | token for token in tokens]


def write_again(app: Opened) -> Opened:
    app.at.button(key="generate").click()
    return finished(app.run())


# -- writing -----------------------------------------------------------------------------------------------------------


def test_the_page_writes_at_once_what_the_engine_writes_alone(open_app: Open) -> None:
    app = finished(open_page(open_app))
    assert not app.errors
    tree = work_of(app).tree
    assert tree.path_ids(0) == reference(FakeEngine())
    tokens = strip(app)
    prompt = app.engine.codec.encode(DEFAULT_PROMPT)
    assert len(tokens) == len(prompt) + 6
    assert [token["kind"] for token in tokens] == ["prompt"] * len(prompt) + ["step"] * 6
    assert "maximum number of tokens" in app.texts() and "tokens/s" in app.texts()


def test_each_card_has_the_alternatives_the_stage_and_the_random_number(open_app: Open) -> None:
    app = finished(open_page(open_app, {"top_k": "3"}))
    step = work_of(app).tree.path(0)[0]
    token = strip(app)[-6]
    assert token["table"][0] == ["token", "id", "raw", "final", "removed by"]
    assert [int(row[1]) for row in token["table"][1:]] == [other.id for other in step.top[:7]]
    assert [row[4] for row in token["table"][1:]] == ["", "", "", *["Top-k"] * 4]
    assert f"u = {step.u:.6f}" in token["label"] and f"id {step.id}" in token["label"]


def test_the_prompts_tokens_carry_their_surprisal_and_the_first_has_none(open_app: Open) -> None:
    app = finished(open_page(open_app))
    ids = app.engine.codec.encode(DEFAULT_PROMPT)
    first, *others = strip(app)[: len(ids)]
    assert "not defined" in first["label"] and first["background"] == ""
    for place, token in enumerate(others, 1):
        row = app.engine.next_logits(ids[:place]).logits.astype(np.float64)
        expected = np.log(np.exp(row - row.max()).sum()) + row.max() - row[ids[place]]
        assert f"surprisal {expected:.3f} nats" in token["label"]
        assert token["background"].startswith("#")


@pytest.mark.parametrize("scale", ["probability", "rank", "entropy", "surprise"])
def test_every_colouring_is_legible(open_app: Open, scale: str) -> None:
    from playground.charts.palette import contrast

    app = finished(open_page(open_app))
    app.put(GenerateState(scale=scale))
    app.run()
    coloured = [token for token in strip(app) if token["background"]]
    assert len(coloured) == len(strip(app)) - 1
    assert all(contrast(token["background"], token["ink"]) >= 4.5 for token in coloured)


def says(text: str, *tail: int) -> FakeEngine:
    """After any one-token prompt: this text."""
    planned = (*FakeEngine().codec.encode(text), *tail)

    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = np.zeros(VOCAB, dtype=np.float32)
        row[planned[min(len(ids) - 1, len(planned) - 1)]] = 60.0
        return row

    return FakeEngine(logits)


def test_why_it_ended_is_always_said_with_what_is_hidden(open_app: Open) -> None:
    engine = says('{"a": {"b": 1}}', EOS_ID)
    query = {"prompt": "A", "new": "40", "ignore_eos": "0", "stop": json.dumps(["}"])}
    app = finished(open_page(open_app, query, opener=lambda choice, progress: engine))
    assert "a stop string came “\\}”, hidden from the text." in app.texts()
    assert strip(app)[-1]["kind"] == "step cut"
    with pytest.raises(json.JSONDecodeError):
        json.loads(engine.codec.decode(work_of(app).tree.path_ids(0)[:-1]))
    app.at.multiselect(key="GenerateState.stop_strings").set_value([])
    app = write_again(app.run())
    assert "end-of-sequence" in app.texts()
    ids = work_of(app).tree.path_ids(work_of(app).tree.current)
    assert json.loads(engine.codec.decode(ids[:-1])) == {"a": {"b": 1}}


class Gate:
    """Once closed, lets the engine take a few more steps and then holds it."""

    def __init__(self) -> None:
        self.allowed = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def close(self, steps: int) -> None:
        self.allowed = threading.Semaphore(steps)
        self.open.clear()

    def __call__(self) -> None:
        while not self.open.is_set() and not self.allowed.acquire(timeout=0.01):
            pass


@pytest.fixture
def gate(open_app: Open) -> Iterator[Gate]:
    """Opened before the app is closed, whatever the test did."""
    closed_gate = Gate()
    yield closed_gate
    closed_gate.open.set()


def test_stop_keeps_what_was_written_and_frees_the_model(open_app: Open, gate: Gate) -> None:
    engine = FakeEngine(before_step=gate)
    app = finished(open_page(open_app, opener=lambda choice, progress: engine))
    app.put(GenerateState(500, ignore_eos=True))
    app.at.number_input(key="w_seed").set_value(1)
    app.run()
    gate.close(4)
    app.at.button(key="generate").click()
    app.run()

    def four() -> bool:
        stream = work_of(app).stream
        return stream is not None and stream.count >= 4

    until(app, four, "no tokens came")
    app.at.button(key="generate_stop").click()
    app.run()
    assert work_of(app).stream is None
    written = work_of(app).tree[work_of(app).tree.current]
    assert 4 <= len(written.steps) <= 5 and written.ended == "stopped"
    calls = len(engine.calls)
    gate.open.set()
    finished(app)
    assert len(engine.calls) <= calls + 1, "only the step under way was finished"
    until(app, lambda: engine.batches[-1].closed, "the batch was not closed")
    assert "stopped before it was finished" in app.texts()
    app.put(GenerateState(4, ignore_eos=True))
    app.at.button(key="continue").click()
    finished(app.run())
    whole = work_of(app).tree.path_ids(work_of(app).tree.current)
    assert len(whole) == len(written.steps) + 4
    assert whole == reference(FakeEngine(), seed=1, max_new_tokens=len(whole)), "as if it had never been stopped"


def test_the_end_of_a_text_wakes_its_page(open_app: Open, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """With thirty readers the timer's next look is seconds away."""
    app = finished(open_page(open_app, opener=lambda choice, progress: FakeEngine(before_step=gate)))
    woken, asked = threading.Event(), list[str]()

    def waker(key: str, every: Callable[[], float]) -> Callable[[], None]:
        asked.append(key)
        return woken.set

    monkeypatch.setattr(job_view, "waker", waker)
    app.at.number_input(key="w_seed").set_value(1)
    app.run()
    gate.close(1)
    app.at.button(key="generate").click()
    app.run()
    assert asked == ["live"] and not woken.is_set()
    gate.open.set()
    assert woken.wait(30)
    finished(app)


def test_another_model_in_mid_generation_frees_the_old_one_before_the_new_one_is_there(
    open_app: Open, gate: Gate
) -> None:
    old, let_go = FakeEngine(before_step=gate), threading.Event()

    def opener(choice: ModelChoice, progress: object) -> FakeEngine:
        if choice.spec is None:
            return old
        assert let_go.wait(30), "the old model is free before the new one is loaded"
        return FakeEngine()

    app = finished(open_page(open_app, opener=opener))
    app.put(GenerateState(500, ignore_eos=True))
    app.at.number_input(key="w_seed").set_value(1)
    app.run()
    gate.close(4)
    app.at.button(key="generate").click()
    app.run()
    until(app, lambda: (stream := work_of(app).stream) is not None and stream.count >= 4, "no tokens came")
    stream = work_of(app).stream
    assert stream is not None
    calls, ticket = len(old.calls), stream.ticket

    def watch() -> None:
        if ticket.wait(30):  # cancelled; only now may the step under way end
            gate.open.set()
            let_go.set()

    threading.Thread(target=watch, daemon=True).start()
    app.put(dataclasses.replace(app.state(Setup), model="other"))
    finished(app.run())
    until(app, lambda: old.closed, "the old model was not released")
    assert len(old.calls) <= calls + 2, "only the step under way was finished"
    assert work_of(app).tree[work_of(app).tree.current].ended == "stopped"
    assert not app.errors and "stopped before it was finished" in app.texts()


def test_nothing_is_lost_on_a_page_change(open_app: Open) -> None:
    app = finished(open_page(open_app))
    before = work_of(app).history
    calls = len(app.engine.calls)
    app.at.switch_page("../../pages/glossary.py")
    app.run()
    app.at.switch_page("../../pages/generate.py")
    app.run()
    assert work_of(app).history == before and len(app.engine.calls) == calls
    assert len(strip(app)) == len(app.engine.codec.encode(DEFAULT_PROMPT)) + 6


def test_another_seed_stands_beside_the_first_and_the_same_one_is_not_written_twice(open_app: Open) -> None:
    app = finished(open_page(open_app))
    app.at.number_input(key="w_seed").set_value(9)
    app = write_again(app.run())
    tree = work_of(app).tree
    assert [branch.seed for branch in tree.branches] == [0, 9]
    assert tree.path_ids(1) == reference(FakeEngine(), seed=9)
    app.at.number_input(key="w_seed").set_value(0)
    app = write_again(app.run())
    assert len(work_of(app).tree.branches) == 2 and work_of(app).tree.current == 0
    assert "give the same tokens" in app.texts()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"max_new_tokens": -5}, "max_new_tokens"),
        ({"max_new_tokens": 5_000}, "2,048"),
        ({"max_new_tokens": 10**9}, "max_new_tokens"),
        ({"stop_strings": ("",)}, "empty stop string"),
        ({"stop_ids": "1, x"}, "Stop token ids"),
        ({"stop_ids": "99999"}, "no token 99999"),
    ],
)
def test_bad_input_is_one_sentence_and_the_old_text_stays(open_app: Open, fields: dict[str, Any], said: str) -> None:
    app = finished(open_page(open_app))
    app.put(GenerateState(**fields))
    app = write_again(app)
    assert len(app.errors) == 1 and said.replace("_", "\\_") in app.errors[0]
    assert work_of(app).tree.path_ids(0) == reference(FakeEngine()), "the text from before is still there"
    app.put(GenerateState(max_new_tokens=2))
    app = write_again(app)
    assert not app.errors


def test_a_stop_string_is_plain_text_and_one_in_the_prompt_stops_nothing(open_app: Open) -> None:
    app = finished(open_page(open_app, {"stop": json.dumps([".*", "capital"])}))
    assert work_of(app).tree[0].ended == "length"


# -- branches ----------------------------------------------------------------------------------------------------------


def select(app: Opened, place: int) -> Opened:
    work_of(app).selected = place
    return app.run()


def test_of_a_text_that_has_ended_the_least_expected_token_is_open_until_it_is_closed(open_app: Open) -> None:
    app = finished(open_page(open_app))
    path = work_of(app).tree.path(0)
    least = min(range(6), key=lambda place: path[place].raw_logprob or 0.0)
    prompt = app.engine.codec.encode(DEFAULT_PROMPT)
    app.run()
    assert work_of(app).selected is None and app.component("generate_strip")["selected"] == len(prompt) + least
    assert f"Token {least + 1}: " in app.texts() and ", the least expected" in app.texts()
    assert [row["pick"] for row in app.component("generate_alternatives")["rows"][:-1]] == [
        o.id for o in path[least].top
    ]
    app.at.button(key="close_token").click()
    app.run()
    assert app.component("generate_strip")["selected"] == -1 and "the least expected" not in app.texts()
    app.put(Setup(seed=5))
    assert "the least expected" in write_again(app).run().texts()


def branch_at(app: Opened, place: int, token: int) -> Opened:
    app.put(PendingAction("branch", work_of(app).tree.current, place, token))
    return finished(app)


def test_a_branch_goes_on_from_the_chosen_token_without_running_what_is_before(open_app: Open) -> None:
    app = select(finished(open_page(open_app)), 2)
    path = work_of(app).tree.path(0)
    other = next(alternative for alternative in path[2].top if alternative.id != path[2].id)
    assert [row["pick"] for row in app.component("generate_alternatives")["rows"][:-1]] == [o.id for o in path[2].top]
    calls_before = set(app.engine.calls)
    branch_at(app, 2, other.id)
    tree = work_of(app).tree
    prompt = app.engine.codec.encode(DEFAULT_PROMPT)
    taken = (*(step.id for step in path[:2]), other.id)
    assert tree.path_ids(1)[:3] == taken and len(tree.path_ids(1)) == 6
    assert tree.path_ids(1)[3:] == reference(FakeEngine(), generated_ids=taken, max_new_tokens=3)
    assert all(len(ids) >= len(prompt) + 3 for ids in app.engine.calls if ids not in calls_before)
    assert tree.raw_logprob(1) == pytest.approx(
        other.raw_logprob + math.fsum(s.raw_logprob or 0.0 for s in (*path[:2], *tree[1].steps[1:]))
    )
    assert strip(app)[len(prompt) + 2]["kind"] == "step picked"


def test_any_token_can_be_picked_by_id_and_a_known_way_is_not_written_again(open_app: Open) -> None:
    app = finished(open_page(open_app, {"top_k": "5"}))
    rare = next(t for t in range(VOCAB) if t not in {o.id for o in work_of(app).tree.path(0)[1].top} and t != EOS_ID)
    branch_at(app, 1, rare)
    step = work_of(app).tree[1].steps[0]
    context = app.engine.codec.encode(DEFAULT_PROMPT) + work_of(app).tree.path_ids(0)[:1]
    row = app.engine.next_logits(context).logits.astype(np.float64)
    assert step.raw_logprob == pytest.approx(row[rare] - row.max() - np.log(np.exp(row - row.max()).sum()), abs=1e-4)
    assert (step.id, step.prob) == (rare, 0.0)
    assert step.rank == np.count_nonzero(row > row[rare])
    work_of(app).history = work_of(app).history.do(work_of(app).tree.select(0))
    branch_at(app, 1, rare)
    assert len(work_of(app).tree.branches) == 2 and work_of(app).tree.current == 1


def test_a_picked_end_token_ends_the_text_and_nothing_is_run(open_app: Open) -> None:
    app = finished(open_page(open_app, {"ignore_eos": "0"}))
    batches = len(app.engine.batches)
    branch_at(app, 1, EOS_ID)
    assert work_of(app).tree[1].ended == "eos" and len(app.engine.batches) == batches


def test_undo_redo_fold_rename_and_the_way_back(open_app: Open) -> None:
    app = finished(open_page(open_app))
    top = work_of(app).tree.path(0)[3].top
    branch_at(app, 3, next(o.id for o in top if o.id != work_of(app).tree.path_ids(0)[3]))
    grown = work_of(app).tree

    def press(key: str) -> None:
        app.at.button(key=key).click()
        app.run().run()

    press("undo_tree")
    assert len(work_of(app).tree.branches) == 1
    press("redo_tree")
    assert work_of(app).tree == grown
    press("to_parent")
    assert work_of(app).tree.current == 0
    press("fold_0")
    assert not [button for button in app.at.button if button.key == "branch_1"]
    press("fold_0")
    press("branch_1")
    assert work_of(app).tree.current == 1
    app.at.text_input(key="w_branch_name").set_value("my way")
    app.run().run()
    assert app.at.button(key="branch_1").label == "my way"


def test_open_in_sampling_goes_to_exactly_that_point(open_app: Open) -> None:
    app = select(finished(open_page(open_app, {"temperature": "0.7", "seed": "5"})), 3)
    tree = work_of(app).tree
    app.put(Setup(seed=1))  # the controls have moved on; the text has not
    app.run()
    app.at.button(key="open_in_sampling").click()
    app.run()
    setup: Setup = app.state(Setup)
    assert setup.taken == tree.path_ids(0)[:3] and setup.steps == tree.path_ids(0)
    assert (setup.prompt, setup.settings, setup.seed) == (DEFAULT_PROMPT, SamplerSettings(temperature=0.7), 5)
    app.at.switch_page("../../pages/sampling.py")  # the double does not follow st.switch_page by itself
    app.run()
    chosen = next(row for row in app.bars["rows"] if row["chosen"])
    assert chosen["pick"] == tree.path_ids(0)[3], "the same u over the same distribution draws the same token"


# -- comparing ---------------------------------------------------------------------------------------------------------


def compare(open_app: Open, pins: dict[str, SamplerSettings], **options: Any) -> Opened:
    app = finished(open_page(open_app))
    app.put(Pins(pins))
    app.put(GenerateState(**{"max_new_tokens": 6, "ignore_eos": True, **options}))
    app.put(PendingAction("compare"))
    app.hold(generate_section="Compare")
    return finished(app, COMPARE)


PINS = {"A": NEUTRAL.replace(temperature=0.5), "B": NEUTRAL.replace(temperature=1.8), "C": NEUTRAL.replace(top_k=2)}


def test_settings_compared_are_each_what_they_are_alone_on_common_random_numbers(open_app: Open) -> None:
    app = compare(open_app, PINS)
    work = work_of(app, COMPARE)
    assert len(app.engine.batches) == 2, "the first text, and one batch for all three"
    for number, settings in enumerate(PINS.values()):
        assert work.tree.path_ids(number) == reference(FakeEngine(), settings=settings)
    draws = {tuple(step.u for step in work.tree.path(number)) for number in range(3)}
    assert len(draws) == 1
    first, second = work.tree.path_ids(0), work.tree.path_ids(1)
    place = next(i for i in range(6) if first[i] != second[i])
    assert [i for i, token in enumerate(strip(app, "compare_strip_B")) if "parted" in token["kind"]] == [place]
    assert f"part at token {place + 1}" in app.texts()
    app.hold(part_B=True)
    assert app.at.get("plotly_chart")


def test_own_streams_take_other_seeds_and_intervals_need_several(open_app: Open) -> None:
    app = compare(open_app, {name: PINS[name] for name in "AB"}, stream="own", seeds=3)
    work = work_of(app, COMPARE)
    assert [branch.seed for branch in work.tree.branches] == [0, 1, 2, 3, 4, 5]
    assert work.letters == ("A", "A", "A", "B", "B", "B")
    table = app.at.dataframe[0].value
    assert list(table[""]) == ["A", "B"] and table["distinct-1"].str.contains("±").all()
    assert list(table["different texts"]) == ["3 of 3", "3 of 3"]


def test_with_one_pin_the_present_settings_are_the_other(open_app: Open) -> None:
    app = compare(open_app, {"A": PINS["A"]})
    assert work_of(app, COMPARE).letters == ("A", "B")
    assert work_of(app, COMPARE).tree[1].settings == NEUTRAL
    assert "±" not in app.at.dataframe[0].value.to_csv()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_where_batches_round_differently_the_page_says_so(open_app: Open, dtype: str) -> None:
    engine = FakeEngine()
    engine._info = dataclasses.replace(engine.info, dtype=dtype)
    app = open_page(open_app, opener=lambda choice, progress: engine).hold(generate_section="Compare")
    assert ("may give other tokens alone than in a batch" in app.texts()) == (dtype == "bfloat16")


# -- away and back -----------------------------------------------------------------------------------------------------


def test_a_saved_file_comes_back_and_a_bad_one_is_one_sentence(open_app: Open) -> None:
    app = finished(open_page(open_app, {"seed": "4"}))
    run = work_of(app).whole_run()
    assert run is not None
    text = to_json(run, app.engine.codec).encode()
    assert from_json(text, app.engine.info)[0].tree == run.tree
    fresh = finished(open_page(open_app)).hold(take_away=True)
    fresh.at.file_uploader(key="generate_file").upload("run.json", text, "application/json")
    finished(fresh.run())
    assert not fresh.errors
    assert work_of(fresh).tree == run.tree and fresh.state(Setup).seed == 4
    fresh.at.file_uploader(key="generate_file").upload("bad.json", text[:200], "application/json")
    fresh.run()
    assert len(fresh.errors) == 1 and "cut off" in fresh.errors[0]
    assert work_of(fresh).tree == run.tree


def test_the_command_gives_the_same_text(
    open_app: Open, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import shlex

    from playground.cli import main

    setup = Setup(prompt='It\'s "x"\n', settings=SamplerSettings(temperature=0.7, top_k=9), seed=3)
    words = shlex.split(command(setup, GenerateState(6, ("\n\n", "} {"), "3, 9", True)))
    assert words[:4] == ["python", "-m", "playground", "generate"]
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: FakeEngine())
    assert main([*words[3:], "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    expected = reference(
        FakeEngine(), setup.prompt, settings=setup.settings, seed=3, stop_strings=("\n\n", "} {"), stop_ids=(3, 9)
    )
    assert tuple(step["id"] for step in printed["steps"]) == expected


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_runs(open_app: Open, name: str) -> None:
    app = finished(open_page(open_app))
    app.at.button(key=f"try_generate_{name}").click()
    app.run()
    section = EXPERIMENTS[name].section
    app.hold(generate_section=section.capitalize())
    finished(app, section)
    assert not app.errors and EXPERIMENTS[name].label in app.texts()
    assert work_of(app, section).tree.branches
