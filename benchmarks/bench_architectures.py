"""Architectures: the race of six families to 8,192 tokens, each default training, and a slider's chain meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import numpy as np

from playground.architectures.families import DEFAULT
from playground.architectures.learning import learn
from playground.architectures.race import CONTEXTS, race, racers_of
from playground.architectures.request import usual_request
from playground.architectures.tasks import TASKS
from playground.sampling.chain import trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.settings import SamplerSettings
from playground.scaling.configs import load_config


def _finish(steps: Generator[object, None, object]) -> float:
    started = time.perf_counter()
    for _step in steps:
        pass
    return time.perf_counter() - started


def run() -> dict[str, float]:
    """Seconds, and how many times as long a chain of samplers takes while one is under way."""
    found = {"six families to 8,192 tokens, s": _finish(race(racers_of(DEFAULT, load_config), CONTEXTS))}
    for task in TASKS.values():
        slowest = max(_finish(learn(usual_request(task.name, model))) for model in task.shown)
        found[f"{task.name}: the slowest default training, s"] = slowest
    found["a chain beside a training over one alone"] = _beside()
    return found


def _beside() -> float:
    alone, enough = _chain_s(), threading.Event()

    def train() -> None:
        for _step in learn(usual_request("mqar", "mamba")):
            if enough.is_set():
                return

    training = threading.Thread(target=train)
    training.start()
    beside = _chain_s()
    enough.set()
    training.join()
    return beside / alone


def _chain_s(times: int = 40) -> float:
    row = np.random.default_rng(0).normal(0, 3, 49_152).astype(np.float32)
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        trace_row(row, SamplerSettings(temperature=0.8, top_p=0.9), SamplingContext(()))
        spent.append(time.perf_counter() - started)
    return float(np.median(spent))
