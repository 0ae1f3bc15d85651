"""N answers from one prefill against ``model.generate(num_return_sequences=N)``.

The bundled model in float32, a prompt of 256 tokens, 64 new tokens, same process, dtype and threads, in turns. Both
sample at temperature 0.8 without truncation; ours records every step (20 alternatives) all the while.
``python -m benchmarks.bench_best_of_n`` prints the figures; ``run()`` returns them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from transformers import PreTrainedModel

from playground.engine.factory import make_engine
from playground.engine.hf.engine import TransformersEngine
from playground.models.loading import load
from playground.sampling.settings import SamplerSettings
from playground.testtime.generate import CandidateRequest, CandidateRun, Variation, generate_candidates

PROMPT_TOKENS, NEW_TOKENS = 256, 64
ROUNDS = 3
SETTINGS = SamplerSettings(temperature=0.8)


def run(counts: Sequence[int] = (16, 8), rounds: int = ROUNDS) -> dict[str, float]:
    """Ratios of tokens per second, ours / generate (above 1 is faster)."""
    engine = make_engine(None, device="cpu", dtype="float32")
    if not isinstance(engine, TransformersEngine):
        raise TypeError("The bundled model runs on transformers")
    plain = load(None, device="cpu", dtype="float32").model  # as loaded: the engine may have arranged its own weights
    prompts = _prompts(engine, rounds * len(counts) * 2)
    seconds: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        started = time.perf_counter()
        work()
        seconds.setdefault(name, []).append(time.perf_counter() - started)

    for _ in range(rounds):
        for n in counts:
            ours, theirs = prompts.pop(), prompts.pop()  # never read before: nobody has a prefix
            timed(f"ours {n}", partial(_candidates, engine, ours, n))
            timed(f"generate {n}", partial(_reference, plain, theirs, n))
    median = {name: statistics.median(values) for name, values in seconds.items()}
    figures = {}
    for n in counts:
        figures[f"N = {n}: generate, tokens/s"] = n * NEW_TOKENS / median[f"generate {n}"]
        figures[f"N = {n}: ours, tokens/s"] = n * NEW_TOKENS / median[f"ours {n}"]
        figures[f"N = {n}: ours / generate"] = median[f"generate {n}"] / median[f"ours {n}"]
    return figures


def _prompts(engine: TransformersEngine, count: int) -> list[tuple[int, ...]]:
    """Different texts of 256 tokens each."""
    text = (Path(__file__).resolve().parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    ids = engine.codec.encode(text)
    return [(1000 + number, *ids[number : number + PROMPT_TOKENS - 1]) for number in range(count)]


def _candidates(engine: TransformersEngine, ids: tuple[int, ...], n: int) -> CandidateRun:
    asked = CandidateRequest((Variation(ids, SETTINGS),), n, max_new_tokens=NEW_TOKENS, ignore_eos=True)
    events = generate_candidates(engine, asked)
    while True:
        try:
            next(events)
        except StopIteration as end:
            done: CandidateRun = end.value
            return done


def _reference(model: PreTrainedModel, ids: tuple[int, ...], n: int) -> int:
    with torch.inference_mode():
        out = model.generate(
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            do_sample=True,
            temperature=0.8,
            top_k=0,
            top_p=1.0,
            num_return_sequences=n,
            max_new_tokens=NEW_TOKENS,
            eos_token_id=-1,
            pad_token_id=0,
        )
    return int(out.shape[1])


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:32} {value:8.3f}")
