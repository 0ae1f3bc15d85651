"""Loaded Mamba, RWKV and Jamba models on the pages: each goes on from its own state, and says what it has not."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from playground.engine.hf.engine import TransformersEngine
from playground.generation import GenerationRequest, generate
from playground.sampling.settings import SamplerSettings
from playground.store.place import DATA_VARIABLE
from playground.ui.best_of_n_page.session import BestOfNSession
from tests.engine.test_architectures import engine_of
from tests.ui.conftest import Opened

Open = Callable[..., Opened]
PROMPT = "aaaa"


@pytest.fixture(autouse=True)
def _own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def open_page(open_app: Open, page: str, engine: TransformersEngine, **fields: str) -> Opened:
    def opener(_choice: object, _progress: object) -> Any:  # noqa: ANN401 - not the fake
        return engine

    app = open_app({"prompt": PROMPT, "temperature": "0", **fields}, opener=opener, run=False)
    app.at.switch_page(f"../../pages/{page}.py")
    return app.run()


def until(app: Opened, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline and not app.errors, app.errors
        app.run()


def greedy(engine: TransformersEngine, count: int) -> tuple[int, ...]:
    """The model's own choices, each from a pass over the whole text without any state."""
    ids = list(engine.codec.encode(PROMPT))
    before = len(ids)
    with torch.inference_mode():
        for _token in range(count):
            ids.append(int(engine.loaded.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
    return tuple(ids[before:])


@pytest.mark.parametrize("name", ["mamba", "rwkv", "jamba"])
def test_they_write_from_their_own_state_what_the_whole_text_gives(name: str) -> None:
    engine = engine_of(name)
    steps = generate(
        engine,
        [
            GenerationRequest(
                engine.codec.encode(PROMPT), SamplerSettings(temperature=0), max_new_tokens=5, ignore_eos=True
            )
        ],
    )
    while True:
        try:
            next(steps)
        except StopIteration as end:
            assert end.value.rows[0].ids == greedy(engine, 5)
            break
    batch = engine.open_batch([engine.codec.encode(PROMPT)])
    assert batch.state_bytes and bool(batch.cache_bytes) == (name == "jamba")
    batch.close()


@pytest.mark.parametrize("name", ["mamba", "rwkv", "jamba"])
def test_sampling_and_inside_work_and_attention_shows_the_layers_that_have_it(open_app: Open, name: str) -> None:
    engine = engine_of(name)
    assert not (app := open_page(open_app, "sampling", engine)).errors and app.bars["rows"]
    assert not (app := open_page(open_app, "inside", engine)).errors and app.component("lens_grid")["tokens"]
    app = open_page(open_app, "attention", engine)
    if name == "jamba":
        assert not app.errors and app.component("attention_overview")
    else:
        assert "attention" in "".join(app.errors), app.texts()


@pytest.mark.parametrize("name", ["mamba", "rwkv", "jamba"])
def test_generate_and_best_of_n_write(open_app: Open, name: str) -> None:
    engine = engine_of(name)
    app = open_page(open_app, "generate", engine, new="4")
    until(app, lambda: _drawn(app, "generate_strip"))
    app = open_page(open_app, "best_of_n", engine, new="4", n="2")
    until(app, lambda: any(not each.busy for each in app.state(BestOfNSession).models.values()))
    assert not app.errors


def _drawn(app: Opened, key: str) -> bool:
    try:
        return bool(app.component(key)["tokens"])
    except AssertionError:
        return False
