"""An adapter on the bundled model: how long until it is on, off or of another strength, and what a token costs with it.

``python -m benchmarks.bench_adapter`` prints the figures; ``run()`` returns them. Random factors of rank 8 on all linear
layers: 2.4 million parameters.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from playground.engine.api import Engine
from playground.engine.factory import adapted, make_engine
from playground.engine.serving.loading import Loading, ModelChoice, OverOthers
from playground.engine.serving.pool import ModelPool
from playground.engine.types import TokenIds
from playground.models.naming import base_names, normal_names

ROUNDS = 9
SESSION = "reader"


def run() -> dict[str, float]:
    """Medians in milliseconds; switching runs as the pages ask for it, from the request to a worker."""
    with tempfile.TemporaryDirectory() as place:
        folder = save_random_adapter(Path(place) / "adapter")
        pool = make_pool()
        try:
            return _measure(pool, str(folder))
        finally:
            pool.close()


def _measure(pool: ModelPool, folder: str) -> dict[str, float]:
    _switch(pool, None)
    on, off, busy = list[float](), list[float](), list[float]()
    for turn in range(ROUNDS):
        began = time.process_time()
        on.append(_switch(pool, f"+{folder}*{0.1 + turn / 10:g}"))
        busy.append((time.process_time() - began) * 1000)
        off.append(_switch(pool, None))
    merged = _switch(pool, f"+{folder}*1*merged")
    step = {name: _step_ms(pool, spec) for name, spec in (("base", None), ("adapter", f"+{folder}"))}
    return {
        "adapter on or to another strength, ms": statistics.median(on),
        "the same, of the processors, ms": statistics.median(busy),
        "adapter off, ms": statistics.median(off),
        "adapter merged, ms": merged,
        "one token, base, ms": step["base"],
        "one token, adapter, ms": step["adapter"],
        "one token, adapter / base": step["adapter"] / step["base"],
    }


def _switch(pool: ModelPool, spec: str | None) -> float:
    started = time.perf_counter()
    loading = pool.request(SESSION, ModelChoice(spec, "cpu", "float32"))
    loading.done.wait()
    if loading.error is not None:
        raise loading.error
    return (time.perf_counter() - started) * 1000


def _step_ms(pool: ModelPool, spec: str | None) -> float:
    _switch(pool, spec)
    worker = pool.request(SESSION, ModelChoice(spec, "cpu", "float32")).worker
    assert worker is not None
    ids: TokenIds = worker.engine.codec.encode("The capital of France is")
    times = []
    for token in _tokens():
        started = time.perf_counter()
        worker.next_row(SESSION, "next", ids).result()
        times.append((time.perf_counter() - started) * 1000)
        ids = (*ids, token)
    return statistics.median(times[1:])


def _tokens() -> Sequence[int]:
    return range(1000, 1032)


def make_pool() -> ModelPool:
    """A pool as the pages' own, without a page."""

    def base_of(choice: ModelChoice) -> ModelChoice | None:
        names = base_names(choice.spec, choice.device, choice.dtype)
        return None if names is None else ModelChoice(*names)

    def open_engine(choice: ModelChoice, loading: Loading) -> Engine:
        return make_engine(choice.spec, choice.device, choice.dtype, loading.report)

    return ModelPool(
        open_engine,
        normalise=lambda choice: ModelChoice(*normal_names(choice.spec, choice.device, choice.dtype)),
        over=OverOthers(base_of, lambda choice, base, at_rest: adapted(base, choice.spec, at_rest)),
    )


def save_random_adapter(folder: Path) -> Path:
    """A LoRA of rank 8 on all linear layers of the bundled model, both factors random."""
    from peft import LoraConfig, get_peft_model

    from playground.models.loading import load

    loaded = load(device="cpu", dtype="float32")
    loaded.model.config._name_or_path = str(loaded.source.hub_id)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        taught = get_peft_model(
            loaded.model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
        )
    for name, parameter in taught.named_parameters():
        if "lora_" in name:
            parameter.data.normal_(std=0.02)
    taught.save_pretrained(str(folder))
    return folder


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:40} {value:10.1f}")
