"""From a fresh process to the first next-token distribution: the first start, which unpacks the model, and the second.

Both are new processes with the same interpreter; the first has an empty cache. Needs 560 MB of disk for the moment.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile

SECOND_STARTS = 3
PROMPT = "The capital of France is"

_START = f"""
import time
begun = time.perf_counter()
from playground.models.loading import load
loaded = load()
ready = time.perf_counter()
import torch
ids = loaded.tokenizer({PROMPT!r}, return_tensors="pt").input_ids
with torch.inference_mode():
    probabilities = loaded.model(ids, logits_to_keep=1).logits[0, -1].float().softmax(-1)
print(__import__("json").dumps({{
    "load_s": ready - begun,
    "total_s": time.perf_counter() - begun,
    "paris": probabilities[loaded.tokenizer(" Paris").input_ids[0]].item(),
}}))
"""


def start(cache: str) -> dict[str, float]:
    """Seconds to load and to the first distribution in a new process whose cache is ``cache``."""
    environment = {**os.environ, "PLAYGROUND_CACHE": cache, "HF_HUB_OFFLINE": "1", "PLAYGROUND_MODEL": ""}
    done = subprocess.run(
        [sys.executable, "-c", _START], env=environment, check=True, capture_output=True, text=True, timeout=600
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def run() -> dict[str, float]:
    """Seconds from the first line of Python to the first distribution, and how much of a first start is unpacking."""
    with tempfile.TemporaryDirectory(prefix="bench-start-") as cache:
        first = start(cache)
        seconds = [start(cache) for _ in range(SECOND_STARTS)]
    second_s = statistics.median(one["total_s"] for one in seconds)
    return {
        "first_start_s": first["total_s"],
        "second_start_s": second_s,
        "second_load_s": statistics.median(one["load_s"] for one in seconds),
        "ratio": first["total_s"] / second_s,
        "paris_probability": first["paris"],
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:20} {value:8.2f}")
