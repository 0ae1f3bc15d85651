"""What the Sampling page looks at where the engine tells the likeliest tokens of a row only."""

from __future__ import annotations

from dataclasses import dataclass

from playground.engine.api import TextCodec
from playground.engine.serving.worker import Worker
from playground.engine.types import TokenIds, TopTokens
from playground.inspection.partial import examine_top
from playground.sampling.partial_chain import PartialNext
from playground.sampling.settings import SamplerSettings
from playground.state.setup import Setup


@dataclass(frozen=True, slots=True)
class PartialView:
    """The counterpart of ``SamplingView``: ``next`` is what is known of the distribution after ``ids``."""

    setup: Setup
    worker: Worker
    prompt_ids: TokenIds
    row: TopTokens
    next: PartialNext

    @property
    def ids(self) -> TokenIds:
        return self.row.ids

    @property
    def codec(self) -> TextCodec:
        return self.worker.engine.codec


def partial_view(worker: Worker, row: TopTokens, prompt_ids: TokenIds, setup: Setup) -> PartialView:
    """The present settings on ``row``."""
    return PartialView(setup, worker, prompt_ids, row, examine(worker, row, prompt_ids, setup.settings, setup.seed))


def examine(worker: Worker, row: TopTokens, prompt_ids: TokenIds, settings: SamplerSettings, seed: int) -> PartialNext:
    """Other settings, or another row. Takes about a millisecond, so nothing is remembered."""
    return examine_top(row, settings, prompt_ids, seed, worker.engine.codec)
