"""Generations of many sessions in one step: the same tokens as each alone."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from playground.engine.api import CancelToken, Engine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.serving.step_worker import StepWorker
from playground.engine.serving.ticket import Ticket
from playground.generation import Generation, GenerationRequest, GenerationStep, generate
from playground.sampling.settings import SamplerSettings
from tests.engine.small import small_loaded
from tests.engine.test_hf_engine import make_ids

PATIENCE = 60.0
SETTINGS = (
    SamplerSettings(),
    SamplerSettings().replace(temperature=0.7, top_k=40, repetition_penalty=1.2),
    SamplerSettings().replace(min_p=0.02, temperature=1.5),
)


def requests_of(number: int) -> list[GenerationRequest]:
    """What session ``number`` asks for: one to three rows, of prompts and lengths of their own."""
    return [
        GenerationRequest(
            make_ids(4 + 7 * number % 29, seed=number),
            SETTINGS[number % len(SETTINGS)],
            max_new_tokens=6 + number % 5,
            seed=number,
            random_stream=row,
            ignore_eos=True,
        )
        for row in range(1 + number % 3)
    ]


def submit(worker: StepWorker, number: int, requests: list[GenerationRequest]) -> Ticket[Generation]:
    def job(engine: Engine, cancel: CancelToken) -> Generator[GenerationStep, None, Generation]:
        return generate(engine, requests, cancel=cancel)

    return worker.submit(f"session {number}", "generate", job)


def ids_alone(engine: TransformersEngine, requests: list[GenerationRequest]) -> list[tuple[int, ...]]:
    ids = []
    for request in requests:
        steps = generate(engine, [request])
        while True:
            try:
                next(steps)
            except StopIteration as end:
                ids.append(end.value.rows[0].ids)
                break
    return ids


@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen2", "gemma3-hybrid", "deepseek"])
def test_the_same_tokens_as_alone(kind: str) -> None:
    """Positions turned and learned, shared heads, a sliding window, and one that cannot go together."""
    engine = TransformersEngine(small_loaded(kind))
    asked = [requests_of(number) for number in range(8)]
    expected = [ids_alone(engine, requests) for requests in asked]
    worker = StepWorker(engine)
    tickets = [submit(worker, number, requests) for number, requests in enumerate(asked)]
    for ticket, alone in zip(tickets, expected, strict=True):
        assert [row.ids for row in ticket.result(PATIENCE).rows] == alone
    worker.close()


@pytest.mark.model
def test_the_same_tokens_as_alone_on_the_real_model(
    bundled_engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = bundled_engine
    texts = ["The capital of France is", "Once upon a time", "Water boils at", "Name three birds:"]
    asked = [
        [GenerationRequest(engine.codec.encode(text), SETTINGS[1], max_new_tokens=12, seed=number, ignore_eos=True)]
        for number, text in enumerate(texts)
    ]
    expected = [ids_alone(engine, requests) for requests in asked]
    worker = StepWorker(engine)
    monkeypatch.setattr(engine, "close", lambda: None)  # others go on with it
    tickets = [submit(worker, number, requests) for number, requests in enumerate(asked)]
    assert [[row.ids for row in ticket.result(PATIENCE).rows] for ticket in tickets] == expected
    worker.close()
