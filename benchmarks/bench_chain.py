"""Our chain against transformers' processors on one row of 49,152 logits: median milliseconds, one process, interleaved.

``python -m benchmarks.bench_chain`` prints a table; ``run()`` returns the numbers.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from transformers.generation import logits_process as hf

from playground.sampling.chain import apply_chain, trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.settings import SamplerSettings

VOCAB = 49_152
ROUNDS = 40

USUAL = SamplerSettings(temperature=0.7, top_k=50, top_p=0.9, min_p=0.05)
# Loose values, so that no sampler finds its work done by an earlier one.
SHARED = SamplerSettings(
    logit_bias={11: 1.0},
    repetition_penalty=1.1,
    no_repeat_ngram_size=3,
    temperature=0.9,
    top_k=20_000,
    top_p=0.999,
    min_p=1e-5,
    typical_p=0.99,
    epsilon_cutoff=1e-7,
    eta_cutoff=1e-7,
    order="logit_bias,repetition_penalty,no_repeat_ngram_size,temperature,top_k,top_p,min_p,typical_p,eta_cutoff,top_h",
    top_h=0.99,
)
EVERY = SHARED.replace(
    frequency_penalty=0.1,
    presence_penalty=0.1,
    dry_multiplier=0.8,
    dynatemp_range=0.3,
    top_n_sigma=5.0,
    xtc_probability=1.0,
    xtc_threshold=0.05,
    order="hf",
)


def run() -> dict[str, float]:
    """Median milliseconds per row by what was measured."""
    row = (np.random.default_rng(0).normal(size=VOCAB) * 3).astype(np.float32)
    history = tuple(np.random.default_rng(1).integers(0, VOCAB, 1000).tolist())
    context = SamplingContext(history[:700], history[700:])
    logits, ids = torch.from_numpy(row)[None], torch.tensor([history])
    usual, shared = _usual_processors(), _shared_processors()
    cases: dict[str, Callable[[], object]] = {
        "usual four: our chain": lambda: apply_chain(logits, USUAL, (context,)),
        "usual four: our trace": lambda: trace_row(row, USUAL, context),
        "usual four: transformers": lambda: usual(ids, logits),
        "shared eleven: our chain": lambda: apply_chain(logits, SHARED, (context,)),
        "shared eleven: our trace": lambda: trace_row(row, SHARED, context),
        "shared eleven: transformers": lambda: shared(ids, logits),
        "every sampler: our chain": lambda: apply_chain(logits, EVERY, (context,)),
        "every sampler: our trace": lambda: trace_row(row, EVERY, context),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for measured in [False] * 3 + [True] * ROUNDS:
        for name, case in cases.items():
            started = time.perf_counter()
            case()
            if measured:
                times[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def _usual_processors() -> hf.LogitsProcessorList:
    return hf.LogitsProcessorList(
        [
            hf.TemperatureLogitsWarper(USUAL.temperature),
            hf.TopKLogitsWarper(USUAL.top_k),
            hf.TopPLogitsWarper(USUAL.top_p),
            hf.MinPLogitsWarper(USUAL.min_p),
        ]
    )


def _shared_processors() -> hf.LogitsProcessorList:
    """The samplers of ``SHARED`` in its order."""
    return hf.LogitsProcessorList(
        [
            hf.SequenceBiasLogitsProcessor([[[token], bias] for token, bias in SHARED.logit_bias]),
            hf.RepetitionPenaltyLogitsProcessor(SHARED.repetition_penalty),
            hf.NoRepeatNGramLogitsProcessor(SHARED.no_repeat_ngram_size),
            hf.TemperatureLogitsWarper(SHARED.temperature),
            hf.TopKLogitsWarper(SHARED.top_k),
            hf.TopPLogitsWarper(SHARED.top_p),
            hf.MinPLogitsWarper(SHARED.min_p),
            hf.TypicalLogitsWarper(SHARED.typical_p),
            hf.EtaLogitsWarper(SHARED.eta_cutoff),
            hf.TopHLogitsWarper(SHARED.top_h),
            hf.EpsilonLogitsWarper(SHARED.epsilon_cutoff),
        ]
    )


def main() -> None:
    print(
        f"One row of {VOCAB:,} logits, 1,000 tokens of history, {torch.get_num_threads()} threads, median of {ROUNDS}"
    )
    for name, milliseconds in run().items():
        print(f"  {name:<28} {milliseconds:7.2f} ms")


if __name__ == "__main__":
    main()
