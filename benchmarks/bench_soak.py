"""Two hundred generations on the bundled model through one worker: does the memory stay flat?

Every generation has another prompt and other settings, so that every cache is filled to its bound and past it. The
first hundred warm up; growth is measured over the second. ``python -m benchmarks.bench_soak`` prints the figures.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator

import psutil

from playground.engine.api import CancelToken, Engine
from playground.engine.factory import make_engine
from playground.engine.serving.step_worker import StepWorker
from playground.generation import Generation, GenerationRequest, GenerationStep, generate
from playground.sampling.settings import SamplerSettings

GENERATIONS = 200
NEW_TOKENS = 12
SETTINGS = (
    SamplerSettings(),
    SamplerSettings(temperature=0.7, top_p=0.9),
    SamplerSettings(dry_multiplier=0.8, repetition_penalty=1.1),
    SamplerSettings(mirostat_tau=5.0),
)


def run(generations: int = GENERATIONS) -> dict[str, float]:
    """Resident megabytes after half of the generations and after all, and the growth between."""
    worker = StepWorker(make_engine(None, device="cpu"))
    process, half = psutil.Process(), 0.0
    for number in range(generations):
        if number == generations // 2:
            half = _resident_mb(process)
        worker.submit("soak", "generate", _job(number)).result(600)
    whole = _resident_mb(process)
    worker.close()
    return {
        "after half, MB": half,
        "after all, MB": whole,
        f"growth over the last {generations // 2}, MB": whole - half,
    }


def _job(
    number: int,
) -> Callable[[Engine, CancelToken], Generator[GenerationStep, None, Generation]]:
    def job(engine: Engine, cancel: CancelToken) -> Generator[GenerationStep, None, Generation]:
        prompt = engine.codec.encode(f"Story number {number}: once upon a time " + "there was a fox " * (number % 40))
        asked = [
            GenerationRequest(prompt, SETTINGS[(number + row) % 4], NEW_TOKENS, seed=number, random_stream=row)
            for row in range(1 + number % 3)
        ]
        return (yield from generate(engine, asked, cancel=cancel))

    return job


def _resident_mb(process: psutil.Process) -> float:
    gc.collect()
    return float(process.memory_info().rss) / 1e6


if __name__ == "__main__":
    for figure, value in run().items():
        print(f"{figure}: {value:,.1f}")
