"""One more token after a known prompt against reading the whole prompt again: the bundled model, same threads.

``python -m benchmarks.bench_prefix`` prints the figures; ``run()`` returns them. The two are measured in turns.
"""

from __future__ import annotations

import statistics
import time

import torch

from playground.engine.factory import make_engine
from playground.engine.hf.engine import TransformersEngine

PROMPT_TOKENS = 256
ROUNDS = 7


def run(engine: TransformersEngine | None = None) -> dict[str, float]:
    """Median milliseconds of both, and ``append / full pass``: below 1 is faster."""
    own = engine is None
    engine = engine or _open()
    model = engine.loaded.model
    prompt = tuple(range(1000, 1000 + PROMPT_TOKENS))
    engine.next_logits(prompt)
    append_ms: list[float] = []
    full_ms: list[float] = []
    for turn in range(ROUNDS):
        ids = (*prompt, 2000 + turn)  # a token not asked for before, so that no row is remembered
        started = time.perf_counter()
        answer = engine.next_logits(ids)
        append_ms.append((time.perf_counter() - started) * 1000)
        if answer.computed_tokens != 1:
            raise RuntimeError(f"The prefix was not reused: {answer.computed_tokens} positions were run")
        with torch.inference_mode():
            started = time.perf_counter()
            model(input_ids=torch.tensor([ids]), use_cache=False, logits_to_keep=1)
            full_ms.append((time.perf_counter() - started) * 1000)
    if own:
        engine.close()
    append, full = statistics.median(append_ms), statistics.median(full_ms)
    return {"append one token, ms": append, "full forward pass, ms": full, "append / full pass": append / full}


def _open() -> TransformersEngine:
    engine = make_engine(None, device="cpu", dtype="float32")
    if not isinstance(engine, TransformersEngine):
        raise TypeError("The bundled model runs on transformers")
    return engine


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:24} {value:10.3f}")
