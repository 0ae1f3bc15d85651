"""What every section of the Sampling page looks at: the model's row of logits and the chain traced over it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

from cachetools import LRUCache

from playground.engine.api import TextCodec
from playground.engine.serving.worker import Worker
from playground.engine.types import NextLogits, TokenIds
from playground.inspection.next_token import NextToken, examine
from playground.inspection.next_token import mirostat_mu as ceiling_after
from playground.sampling.settings import SamplerSettings
from playground.state.setup import Setup
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.reading import encode_setup, known_steps, next_row
from playground.ui.workspace.setup import setup as present_setup

REMEMBERED_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SamplingView:
    """One moment of the page. ``ids`` are prompt and accepted tokens; ``next`` is the distribution after them."""

    setup: Setup
    worker: Worker
    prompt_ids: TokenIds
    row: NextLogits
    next: NextToken

    @property
    def ids(self) -> TokenIds:
        return self.row.ids

    @property
    def codec(self) -> TextCodec:
        return self.worker.engine.codec


def load_view() -> SamplingView:
    """Everything the sections need. Raises Pending, or a PlaygroundError that says what to change."""
    worker = loaded_model()
    setup = known_steps(present_setup(), worker.engine)
    prompt_ids = encode_setup(worker.engine.codec, setup)
    row = next_row(worker, prompt_ids + setup.taken)
    mu = mirostat_mu(worker, prompt_ids, setup)
    return SamplingView(setup, worker, prompt_ids, row, examine_row(worker, row, setup.settings, setup, prompt_ids, mu))


class _Traces:
    """The latest traces over a model's rows. All sessions share them: a reader who has left leaves none behind."""

    def __init__(self) -> None:
        self._kept: LRUCache[Hashable, NextToken] = LRUCache(REMEMBERED_BYTES, getsizeof=_bytes)
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], NextToken]) -> NextToken:
        """The trace of ``key``, computed where it is not there."""
        with self._lock:
            known = self._kept.get(key)
        if known is not None:
            return known
        found = compute()
        with self._lock, suppress(ValueError):  # larger than all that is kept
            self._kept[key] = found
        return found


def _bytes(found: NextToken) -> int:
    """About what a trace takes: four rows beside the raw one, and one of each stage."""
    return (5 + len(found.trace.stages)) * int(found.trace.raw_logits.nbytes)


_TRACES: WeakKeyDictionary[Worker, _Traces] = WeakKeyDictionary()


def examine_row(
    worker: Worker, row: NextLogits, settings: SamplerSettings, setup: Setup, prompt_ids: TokenIds, mu: float | None
) -> NextToken:
    """The chain over ``row``, remembered until something that matters changes."""

    def compute() -> NextToken:
        return examine(
            row.logits,
            settings,
            prompt_ids=prompt_ids,
            generated_ids=row.ids[len(prompt_ids) :],
            seed=setup.seed,
            mirostat_mu=mu,
            codec=worker.engine.codec,
        )

    return _TRACES.setdefault(worker, _Traces()).get((row.ids, len(prompt_ids), settings, setup.seed, mu), compute)


def mirostat_mu(worker: Worker, prompt_ids: TokenIds, setup: Setup) -> float | None:
    """Mirostat's ceiling after the accepted tokens. None when Mirostat is off."""
    return ceiling_after(
        lambda ids: next_row(worker, ids).logits,
        setup.settings,
        prompt_ids,
        setup.taken,
        setup.seed,
        worker.engine.codec,
    )
