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


_GGUF_START = f"""
import time
begun = time.perf_counter()
from playground.models.bundled import bundled_file
from transformers import AutoModelForCausalLM, AutoTokenizer
import torch
file = bundled_file()
where = dict(gguf_file=file.name, local_files_only=True)
tokenizer = AutoTokenizer.from_pretrained(file.parent, **where)
model = AutoModelForCausalLM.from_pretrained(file.parent, dtype=torch.float32, **where).eval()
ids = tokenizer({PROMPT!r}, return_tensors="pt").input_ids
with torch.inference_mode():
    model(ids, logits_to_keep=1).logits[0, -1].float().softmax(-1)
print(__import__("json").dumps({{"total_s": time.perf_counter() - begun}}))
"""


def start(cache: str, program: str = _START) -> dict[str, float]:
    """Seconds to load and to the first distribution in a new process whose cache is ``cache``."""
    environment = {**os.environ, "PLAYGROUND_CACHE": cache, "HF_HUB_OFFLINE": "1", "PLAYGROUND_MODEL": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True, timeout=600
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def run() -> dict[str, float]:
    """Seconds from the first line of Python to the first distribution, of three ways to start, and their ratios.

    The third way is what a start costs without a cache of converted weights: transformers reading the GGUF file itself.
    """
    with tempfile.TemporaryDirectory(prefix="bench-start-") as cache:
        first = start(cache)
        seconds = [start(cache) for _ in range(SECOND_STARTS)]
        without_cache_s = start(cache, _GGUF_START)["total_s"]
    second_s = statistics.median(one["total_s"] for one in seconds)
    return {
        "first start, s": first["total_s"],
        "second start, s": second_s,
        "transformers reading the GGUF file, s": without_cache_s,
        "second start / first start": second_s / first["total_s"],
        "second start / transformers reading the GGUF file": second_s / without_cache_s,
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:50} {value:8.2f}")
