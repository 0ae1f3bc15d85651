"""The tables of docs/teach.md that ``bench_training`` does not print: memory and time said before, number formats, fitted peaks.

``python -m benchmarks teach`` prints all, ``python -m benchmarks.bench_teach peaks memory`` some. They measure what a formula
says and what an estimator is worth, not how fast the code is, so they run only by name.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from playground.preferences.overoptimisation import fit_best_of_n, kl_of, standardised
from playground.testtime.curves import chosen_value_curve, mean_curve
from playground.training.settings import Kind
from tests.preferences.planted import KINDS, drawn, true_peak

SEEDS = 150
SHAPES = ((1, 64), (12, 64), (12, 96), (12, 128), (24, 128))

# -- the fitted peak -------------------------------------------------------------------------------------------------------


def fitted_peak(kind: str, seed: int, runs: int, answers: int, *, parabola: bool) -> float:
    """d, infinite where the fit does not turn."""
    rewards, judged = drawn(np.random.default_rng([seed, 7]), (runs, answers), kind)
    pairs = [
        (standardised(one).tolist(), standardised(other).tolist()) for one, other in zip(rewards, judged, strict=True)
    ]
    curve = mean_curve([chosen_value_curve("judged", *pair) for pair in pairs])
    fit = fit_best_of_n(curve.ns, curve.mean, np.sqrt(curve.ns).tolist())
    if parabola:
        return fit.alpha / (2 * fit.beta) if fit.beta > 0 < fit.alpha else math.inf
    return fit.peak_d or math.inf


def peaks() -> None:
    """Share of fits within a fifth of the true peak's d."""
    names = [f"{runs} x {answers}" + (", parabola" if runs == 1 else "") for runs, answers in SHAPES]
    print("| flaw | true peak | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 2) + "|")
    for kind in KINDS:
        n = true_peak(kind)
        d = math.sqrt(kl_of(n))
        shares = []
        for runs, answers in SHAPES:
            found = [fitted_peak(kind, seed, runs, answers, parabola=runs == 1) for seed in range(SEEDS)]
            shares.append(f"{np.mean([abs(each / d - 1) < 0.2 for each in found]):.0%}")
        print(f"| {kind} | N {n:.1f} | " + " | ".join(shares) + " |", flush=True)


# -- memory said before ----------------------------------------------------------------------------------------------------

SEVEN = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
TRAININGS: tuple[tuple[str, Kind, int, tuple[str, ...]], ...] = (
    ("sft", "sft", 129, ("q_proj", "v_proj")),
    ("sft", "sft", 479, ("q_proj", "v_proj")),
    ("sft, seven kinds of layers", "sft", 129, SEVEN),
    ("dpo", "dpo", 129, ("q_proj", "v_proj")),
    ("reward", "reward", 129, ("q_proj", "v_proj")),
)
MIB = 2**20


def memory() -> None:
    """Each training in a process of its own: said beside the weights, and what the process then held at most; seconds too."""
    print("| training | longest row | said, MiB | measured, MiB | said, s | took, s |\n|---|---|---|---|---|---|")
    for place in range(len(TRAININGS)):
        run = [sys.executable, "-m", "benchmarks.bench_teach", f"one={place}"]
        print(subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip(), flush=True)


def one_training(place: int) -> None:
    """A line of ``memory``: two steps of four rows, said before and measured."""
    import threading

    import psutil

    from playground.engine.api import CancelToken
    from playground.engine.pieces import finish
    from playground.training.estimate import estimate
    from playground.training.masks import encode_rows
    from playground.training.running import calibration, prepare
    from playground.training.settings import TrainSettings
    from playground.training.student import open_student

    name, kind, longest, targets = TRAININGS[place]
    settings = replace(
        TrainSettings.of(kind),
        targets=targets,
        epochs=2,
        heldout_share=0.0,
        most_tokens=longest,
    )
    rows = _rows(kind, longest)
    base: Any = type("Base", (), {"info": _info()})  # the pace is measured as the page does, of the model in use
    pace = finish(calibration(settings, rows)(base, CancelToken()))
    started = time.perf_counter()
    student = open_student(None, settings)
    encoded = encode_rows(student.codec, rows, settings, student.info.context_length).encoded
    told = estimate(student.info, encoded, settings, pace)
    weights = student.info.parameters * (2 if "16" in student.info.dtype else 4)
    process = psutil.Process()
    before, most, done = process.memory_info().rss, 0, threading.Event()

    def look() -> None:
        nonlocal most
        while not done.wait(0.005):
            most = max(most, process.memory_info().rss)

    looking = threading.Thread(target=look)
    looking.start()
    for _step in prepare(student, rows, settings, None).training.run():
        pass
    done.set()
    looking.join()
    took = time.perf_counter() - started
    said = (told.memory_bytes - weights) / MIB
    held, what = (most - before) / MIB, f"{name}, {student.info.dtype}"
    print(f"| {what} | {longest} | {said:,.0f} | {held:,.0f} | {told.seconds:.1f} | {took:.1f} |")


def _info() -> Any:  # noqa: ANN401 - what is loaded, as an engine tells it
    from playground.engine.factory import make_engine

    engine = make_engine(None)
    info = engine.info
    engine.close()
    return info


def _rows(kind: str, longest: int) -> Any:  # noqa: ANN401 - rows of either kind
    from playground.training.demonstrations import Demonstration
    from playground.training.pairs import Pair

    text = "The keeper of the light wrote down each ship that passed, and the hour. " * 60
    if kind == "sft":
        return tuple(Demonstration(f"What did you write on day {n}?", text) for n in range(4))
    words = text.split()[: (longest - 60) * 3 // 4]
    return tuple(Pair(f"What did you write on day {n}?", " ".join(words), " ".join(words[: 4 + n])) for n in range(4))


# -- number formats --------------------------------------------------------------------------------------------------------

FORMATS = (
    ("bfloat16", "eager", 1, 128),
    ("bfloat16", "sdpa", 1, 128),
    ("bfloat16", "sdpa", 4, 128),
    ("bfloat16", "sdpa", 1, 64),
    ("float32", "sdpa", 1, 128),
    ("float32", "eager", 1, 128),
    ("float32", "sdpa", 4, 128),
)
PASSES = 4


def formats() -> None:
    """Tokens a second of one core's time, forward and back through rank 8 on queries and values of the bundled model."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from playground.models.bundled import ensure_bundled

    print("| weights | attention | rows x tokens | tokens a core-second |\n|---|---|---|---|")
    for dtype, attention, rows, tokens in FORMATS:
        base = AutoModelForCausalLM.from_pretrained(
            ensure_bundled(), dtype=getattr(torch, dtype), attn_implementation=attention
        )
        lora = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
        model = get_peft_model(base, lora)
        ids = torch.randint(100, 40_000, (rows, tokens), generator=torch.Generator().manual_seed(0))
        times = []
        for _turn in range(PASSES + 1):
            began = time.process_time()
            model(input_ids=ids, labels=ids).loss.backward()
            times.append(time.process_time() - began)
        print(
            f"| {dtype} | {attention} | {rows} x {tokens} | {rows * tokens * PASSES / sum(times[1:]):.0f} |", flush=True
        )


TABLES: dict[str, Callable[[], None]] = {"peaks": peaks, "memory": memory, "formats": formats}


def main(wanted: Sequence[str] = ()) -> None:
    """The wanted tables, all where none is named."""
    for name in wanted or TABLES:
        TABLES[name]()
        print()


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if sys.argv[1:2] and sys.argv[1].startswith("one="):
        one_training(int(sys.argv[1].partition("=")[2]))
    else:
        main(sys.argv[1:])
