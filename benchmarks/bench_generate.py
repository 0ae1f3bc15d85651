"""Generation against transformers' own ``generate``, and what recording, branching and comparing cost.

The bundled model in float32, greedy, same process and threads, measured in turns. ``python -m benchmarks.bench_generate``
prints the figures; ``run()`` returns them.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from transformers import PreTrainedModel

from playground.engine.factory import make_engine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.hf.prepack import tune_for_cpu
from playground.generation import Generation, GenerationRequest, generate
from playground.models.loading import load
from playground.sampling.settings import SamplerSettings

NEW_TOKENS = 128
ROUNDS = 3
STEPS = 24  # of a race between numbers of threads
GREEDY = SamplerSettings(temperature=0.0)
FOUR = (GREEDY, SamplerSettings(), SamplerSettings(top_p=0.9), SamplerSettings(temperature=0.7, top_k=50))
PROMPT = "Once upon a time there was a fox who"


def run(new_tokens: int = NEW_TOKENS, rounds: int = ROUNDS) -> dict[str, float]:
    """Tokens per second of both, and the ratios: ours / generate (above 1 is faster), the others as costs."""
    engine = make_engine(None, device="cpu", dtype="float32")
    if not isinstance(engine, TransformersEngine):
        raise TypeError("The bundled model runs on transformers")
    plain = load(None, device="cpu", dtype="float32").model  # as loaded: the engine may have arranged its own weights
    prompt = engine.codec.encode(PROMPT)
    seconds: dict[str, list[float]] = {}
    texts: dict[str, tuple[int, ...]] = {}

    def timed(name: str, work: Callable[[], tuple[int, ...]]) -> None:
        started = time.perf_counter()
        texts[name] = work()
        seconds.setdefault(name, []).append(time.perf_counter() - started)

    for _ in range(rounds):
        timed("generate", lambda: _reference(plain, prompt, new_tokens))
        timed("recorded", lambda: _rows(engine, prompt, new_tokens, (GREEDY,), 10).rows[0].ids)
        timed("bare", lambda: _rows(engine, prompt, new_tokens, (GREEDY,), 0).rows[0].ids)
        timed("four", lambda: _rows(engine, prompt, new_tokens, FOUR, 10).rows[0].ids)
    if texts["generate"] != texts["recorded"]:
        raise RuntimeError("The greedy tokens differ from transformers'")
    median = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "generate, tokens/s": new_tokens / median["generate"],
        "ours with record, tokens/s": new_tokens / median["recorded"],
        "ours / generate": median["generate"] / median["recorded"],
        "cost of recording": median["recorded"] / median["bare"] - 1,
        "four settings / one": median["four"] / median["recorded"],
        "branch / fresh prefill": _branch_ratio(engine, plain),
        "threads chosen at load": float(tune_for_cpu(load(None, device="cpu", dtype="float32").model).step_threads),
        "a step on all threads / on one": _thread_ratio(engine, prompt, busy=0),
        "the same beside one busy process": _thread_ratio(engine, prompt, busy=1),
    }


def _rows(
    engine: TransformersEngine, prompt: tuple[int, ...], count: int, settings: tuple[SamplerSettings, ...], top: int
) -> Generation:
    steps = generate(
        engine, [GenerationRequest(prompt, one, max_new_tokens=count, ignore_eos=True, top=top) for one in settings]
    )
    while True:
        try:
            next(steps)
        except StopIteration as end:
            done: Generation = end.value
            return done


def _reference(model: PreTrainedModel, prompt: tuple[int, ...], count: int) -> tuple[int, ...]:
    with torch.inference_mode():
        ids = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            do_sample=False,
            max_new_tokens=count,
            eos_token_id=-1,
            pad_token_id=0,
        )
    return tuple(ids[0, len(prompt) :].tolist())


def _branch_ratio(engine: TransformersEngine, model: PreTrainedModel) -> float:
    """Time to the first step of a branch at token 200 of 220, over a fresh prefill of the same tokens."""
    prompt = engine.codec.encode(PROMPT)
    first = GenerationRequest(prompt, GREEDY, max_new_tokens=220, ignore_eos=True, top=0)
    row = _rows(engine, prompt, 220, (GREEDY,), 0).rows[0]
    branch_seconds, fresh_seconds = [], []
    for turn in range(ROUNDS):
        taken = (*row.ids[:200], 1000 + turn)
        started = time.perf_counter()
        steps = generate(engine, [GenerationRequest(first.prompt_ids, GREEDY, generated_ids=taken, ignore_eos=True)])
        next(steps)
        branch_seconds.append(time.perf_counter() - started)
        steps.close()
        with torch.inference_mode():
            started = time.perf_counter()
            model(input_ids=torch.tensor([(*prompt, *taken)]), logits_to_keep=1)
            fresh_seconds.append(time.perf_counter() - started)
    return statistics.median(branch_seconds) / statistics.median(fresh_seconds)


def _thread_ratio(engine: TransformersEngine, prompt: tuple[int, ...], *, busy: int) -> float:
    """A decode step with torch's own number of threads over one with a single thread, beside processes that compute."""
    counts = (torch.get_num_threads(), 1)
    seconds: dict[int, list[float]] = {count: [] for count in counts}
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        for _ in range(ROUNDS):
            for count in counts:
                batch = TransformersEngine(engine.loaded, step_threads=count).open_batch([prompt])
                batch.step([1000])
                started = time.perf_counter()
                for token in range(STEPS):
                    batch.step([1001 + token])
                seconds[count].append(time.perf_counter() - started)
    finally:
        for other in others:
            other.kill()
            other.wait()
    return statistics.median(seconds[counts[0]]) / statistics.median(seconds[1])


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:28} {value:8.3f}")
