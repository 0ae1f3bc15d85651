"""docs/architecture.md names the files a value passes on its way: a run under a profiler holds the page against the list."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import torch

from playground.charts.bars import BarRow, BarsData
from playground.engine.hf.engine import TransformersEngine
from playground.engine.types import NextLogits, TokenIds
from playground.inspection.next_token import Candidate
from playground.sampling.chain import NextToken, RowTrace, Stage
from playground.sampling.settings import SamplerSettings
from playground.state.setup import Setup
from playground.ui.sampling_page.view import SamplingView
from tests.engine.small import small_loaded
from tests.ui.conftest import Opened

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "playground"
Open = Callable[..., Opened]
Carries = Callable[[object], bool]
CALLBACK, LOAD = ("ui/kit/session.py", "on_change"), ("ui/sampling_page/view.py", "load_view")
PICTURE, WORKER = ("ui/frame.py", "_picture"), ("engine/serving/step_worker.py", "_serve")
VALUE, TEXT = 0.37, "What the marked prompt says"


def documented(heading: str) -> tuple[list[str], set[str]]:
    """The numbered files of a section of the map, and those it says are asked."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    passed = re.findall(r"^\d+\. `([^`]+)`", section, re.M)
    asked = re.search(r"^Asked on the way[^:]*: (.*?)\.\n", section, re.M | re.S)
    assert asked is not None
    return passed, set(re.findall(r"`([^`]+)`", asked.group(1)))


def test_the_map_names_files_that_exist() -> None:
    for heading, most in (("What happens when a slider moves", 7), ("What happens when the prompt changes", 12)):
        passed, asked = documented(heading)
        assert 0 < len(passed) <= most and not asked & set(passed)
        assert all((PACKAGE / name).is_file() for name in (*passed, *asked))


def holds_value(thing: object) -> bool:
    """Whether it holds the moved slider's value, or what was computed from it."""
    if isinstance(thing, (NextToken, RowTrace, Stage, SamplingView, BarsData, BarRow, Candidate)):
        return True
    if isinstance(thing, Setup):
        return holds_value(getattr(thing, "settings", None))  # it may be under construction
    if isinstance(thing, SamplerSettings):
        return holds_value(vars(thing).get("changed", ()))
    if isinstance(thing, dict):
        return any(map(holds_value, thing.values()))
    if isinstance(thing, (tuple, list)):
        return any(map(holds_value, thing))
    return isinstance(thing, float) and thing == VALUE


def holds_ids(ids: TokenIds) -> Carries:
    """Whether something holds these token ids, or the row of logits after them."""

    def holds(thing: object) -> bool:
        if isinstance(thing, NextLogits):
            return thing.ids == ids
        if isinstance(thing, torch.Tensor):
            return thing.dtype == torch.long and thing.flatten().tolist() == list(ids)
        if isinstance(thing, dict):
            return any(map(holds, thing.values()))
        if isinstance(thing, (tuple, list)):
            return all(isinstance(each, int) for each in thing) and tuple(thing) == ids or any(map(holds, thing))
        return False

    return holds


def holds_text(thing: object) -> bool:
    """Whether it holds the typed prompt."""
    if isinstance(thing, Setup):
        return getattr(thing, "prompt", None) == TEXT
    return thing == TEXT if isinstance(thing, str) else isinstance(thing, dict) and any(map(holds_text, thing.values()))


@dataclass
class Trace:
    """Which files of the playground were handed the value, and which handed it on to which."""

    roots: tuple[tuple[str, str], ...]  # (file, function) below which is looked: a page draws more than the picture
    carries: Carries
    handed: set[tuple[str, str]] = field(default_factory=set)
    files: set[str] = field(default_factory=set)

    def __call__(self, frame: FrameType, event: str, result: object) -> None:
        if event not in ("call", "return") or (own := name_of(frame)) is None:
            return
        held = result if event == "return" else dict(frame.f_locals)
        if not self.carries(held):
            return
        above = list(callers(frame))
        if not any((name_of(each), each.f_code.co_name) in self.roots for each in [frame, *above]):
            return
        self.files.add(own)
        asker = next((name for each in above if (name := name_of(each)) is not None), own)
        if event == "call" and asker != own:
            self.handed.add((asker, own))


def name_of(frame: FrameType) -> str | None:
    path = frame.f_code.co_filename
    return path[len(str(PACKAGE)) + 1 :] if path.startswith(str(PACKAGE)) else None


def callers(frame: FrameType) -> Iterator[FrameType]:
    above = frame.f_back
    while above is not None:
        yield above
        above = above.f_back


@contextmanager
def profiled(trace: Trace) -> Iterator[Trace]:
    """New threads are looked at too: the script of a page runs in one."""
    threading.setprofile(trace)
    sys.setprofile(trace)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def check(trace: Trace, passed: set[str], asked: set[str]) -> None:
    """All files that held it are on the list, and none of those that are only asked hands it to one that passes it on."""
    assert trace.files == passed | asked
    assert not {(asker, own) for asker, own in trace.handed if asker in asked and own in passed}


def test_a_sliders_value_passes_the_files_that_the_map_names(open_app: Open) -> None:
    passed, asked = documented("What happens when a slider moves")
    script = passed.pop()
    assert script.endswith(".js")  # in the browser: what the page gave it is on screen
    app = open_app()
    app.at.slider(key="w_temperature").set_value(VALUE)
    with profiled(Trace((CALLBACK, LOAD, PICTURE), holds_value)) as trace:
        app.run()
    check(trace, set(passed), asked)
    assert app.bars["rows"][0]["finalText"] != app.bars["rows"][0]["rawText"]


def test_a_prompts_ids_pass_the_files_that_the_map_names(open_app: Open) -> None:
    passed, asked = documented("What happens when the prompt changes")
    engine = TransformersEngine(small_loaded("llama"))
    try:
        with profiled(Trace((LOAD, WORKER), holds_ids(engine.codec.encode(TEXT)))) as trace:
            app = open_app(opener=lambda choice, progress: engine)  # the worker's thread is looked at as well
            app.at.text_area(key="w_prompt").set_value(TEXT)
            app.run()
        check(trace, set(passed), asked)
    finally:
        engine.close()


def test_a_typed_text_goes_into_the_session_as_a_sliders_value_does(open_app: Open) -> None:
    app = open_app()
    app.at.text_area(key="w_prompt").set_value(TEXT)
    with profiled(Trace((CALLBACK,), holds_text)) as trace:
        app.run()
    check(trace, {"ui/workspace/prompt.py", "ui/kit/session.py"}, {"state/setup.py", "ui/workspace/setup.py"})
