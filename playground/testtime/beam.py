"""Beam search and diverse beam search on an engine's batch, as candidates of the same table as the samples.

Beam search follows transformers' ``generate(num_beams=...)`` to the token: the same candidates a step, the same end.
Diverse beam search (Vijayakumar et al. 2016, "Diverse Beam Search", section 4, Hamming diversity) splits the beams into
groups that take turns within a step; a token that k beams of earlier groups have just taken costs k times the penalty.

Both search the model's own distribution: no sampler runs. A group's bookkeeping is in ``beam_group.py``.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from playground.engine.api import Batch, CancelToken, Engine, Rows, TextCodec
from playground.engine.facets import require
from playground.engine.pieces import timed
from playground.generation import GenerationRequest, check_requests
from playground.generation.stopping import Ending, StopWatch
from playground.numerics import entropy_rows
from playground.testtime.batching import require_beams, usable_bytes
from playground.testtime.beam_group import Beam, BeamGroup, RowRecord
from playground.testtime.beam_settings import BeamSettings
from playground.testtime.events import BatchStep
from playground.testtime.types import Candidate, frozen

if TYPE_CHECKING:
    import torch


def check_beams(engine: Engine, request: GenerationRequest, settings: BeamSettings, memory: int | None = None) -> None:
    """Raise BadInput or BadPrompt for a search that cannot be made. ``memory``: the bytes its rows may take together, None
    to ask the machine.
    """
    check_requests([request], engine)
    info = require(engine, Rows).info
    usable = usable_bytes(info) if memory is None else memory
    require_beams(info, request, settings.beams, settings.groups, usable)


def beam_search(
    engine: Engine,
    request: GenerationRequest,
    settings: BeamSettings,
    *,
    first_index: int = 0,
    cancel: CancelToken | None = None,
    memory: int | None = None,
) -> Generator[BatchStep | None, None, tuple[Candidate, ...]]:
    """Search ``request``'s prompt; yields after each step, returns ``settings.beams`` candidates, best first.

    Of the request its prompt, its endings and its ``top`` count; samplers and seed do not. ``first_index`` numbers the
    candidates. ``memory``: as ``check_beams``. A job for ``Worker.submit``. Raises BadInput or BadPrompt before the model
    runs, Cancelled between steps.
    """
    check_beams(engine, request, settings, memory)
    token = cancel or CancelToken()
    search = _Search(engine, request, settings)
    prompts = [request.prompt_ids] * settings.beams
    reading = require(engine, Rows).open_batch_in_pieces(prompts, cancel=token, branching=False)
    batch, read_ms = yield from timed(reading)
    prefill_ms: float | None = read_ms
    decode_ms, length = 0.0, 0
    try:
        while True:
            token.check()
            _ = batch.logits  # what was asked for, where nobody has run it along with other steps
            started = time.perf_counter()
            rows = search.step(batch)
            length += 1
            if rows:
                batch.select_rows([beam.row for beam in rows])
                batch.ask([beam.token for beam in rows])
                search.renumber()
            spent_ms = (time.perf_counter() - started) * 1000 + batch.step_ms
            decode_ms += spent_ms
            candidates = () if rows else search.candidates(first_index, decode_ms)
            live = len(rows) or settings.beams
            yield BatchStep(-1, live, live, None, spent_ms, candidates, prefill_ms)
            prefill_ms = None
            if not rows:
                return candidates
    finally:
        batch.close()


class _Search:
    """The state of one search."""

    def __init__(self, engine: Engine, request: GenerationRequest, settings: BeamSettings) -> None:
        self._codec: TextCodec = engine.codec
        self._vocab = engine.info.vocab_size
        self._request = request
        self._settings = settings
        self._eos = frozenset() if request.ignore_eos else frozenset(engine.codec.eos_token_ids)
        self._length = 0  # tokens after the prompt, in every running beam
        size = settings.beams // settings.groups
        self._continuations = max(2, 1 + len(self._eos)) * size  # so many leave ``size`` that have not ended
        self._groups = [BeamGroup.start(settings, number * size, size) for number in range(settings.groups)]

    def step(self, batch: Batch) -> list[Beam]:
        """One token further. Returns the beams that go on, in order; none when the search is over."""
        import torch

        logits = torch.from_numpy(np.array(batch.logits))  # (rows, vocab)
        logprobs = logits.log_softmax(-1)
        records = _record_rows(logprobs, self._request.top)
        taken: dict[int, int] = {}
        self._length += 1
        for group in self._groups:
            if group.over:
                continue
            self._extend(group, logprobs, records, taken)
            for token in group.chosen:
                taken[token] = taken.get(token, 0) + 1
        return [beam for group in self._groups if not group.over for beam in group.running]

    def renumber(self) -> None:
        """The batch now has one row a running beam, in order."""
        rows = 0
        for group in self._groups:
            if not group.over:
                group.running = [
                    Beam(beam.before, beam.token, beam.logprob, beam.record, rows + place)
                    for place, beam in enumerate(group.running)
                ]
                rows += group.size

    def _extend(
        self, group: BeamGroup, logprobs: torch.Tensor, records: Sequence[RowRecord], taken: dict[int, int]
    ) -> None:
        """The best continuations of a group's beams; those that end compete with its finished texts."""
        import torch

        own = logprobs[[beam.row for beam in group.running]]  # (size, vocab)
        steered = own
        if taken and self._settings.diversity_penalty:
            steered = own.clone()
            for token, times in taken.items():
                steered[:, token] -= self._settings.diversity_penalty * times
        total = (steered + group.scores[:, None]).flatten()
        best, places = torch.topk(total, self._continuations)
        beams = [self._child(group, int(place), own, records) for place in places]
        group.advance(beams, best, self._length, self._request.max_new_tokens)

    def _child(self, group: BeamGroup, place: int, own: torch.Tensor, records: Sequence[RowRecord]) -> Beam:
        number, token = divmod(place, own.shape[1])
        parent = group.running[number]
        beam = Beam(parent, token, float(own[number, token]), records[parent.row], parent.row)
        ended = self._ending(beam)
        return beam if ended is None else Beam(parent, token, beam.logprob, beam.record, parent.row, ended)

    def _ending(self, beam: Beam) -> Ending | None:
        request = self._request
        last = self._length >= request.max_new_tokens
        if not (last or request.stop_strings or beam.token in self._eos or beam.token in request.stop_ids):
            return None
        return self._watched(beam)[1]

    def _watched(self, beam: Beam) -> tuple[StopWatch, Ending | None]:
        watch, ending = StopWatch(self._request, self._codec), None
        for link in beam.chain():
            ending = watch.feed(link.token)
            if ending is not None:
                break
        return watch, ending

    def candidates(self, first_index: int, elapsed_ms: float) -> tuple[Candidate, ...]:
        """All finished texts, best score first."""
        scored = [
            (float(score), beam)
            for group in self._groups
            for score, beam in zip(group.finished_scores, group.finished, strict=True)
            if beam is not None
        ]
        scored.sort(key=lambda pair: -pair[0])
        return tuple(
            self._candidate(first_index + place, beam, score, elapsed_ms) for place, (score, beam) in enumerate(scored)
        )

    def _candidate(self, index: int, beam: Beam, score: float, elapsed_ms: float) -> Candidate:
        watch, ending = self._watched(beam)
        assert ending is not None
        chain = beam.chain()
        records = [link.record for link in chain if link.record is not None]
        logprobs = frozen([link.logprob for link in chain])
        return Candidate(
            index=index,
            prompt_ids=self._request.prompt_ids,
            ids=tuple(link.token for link in chain),
            text=watch.split(ending)[0],
            finish_reason=ending.reason,
            raw_logprobs=logprobs,
            probs=frozen(np.exp(logprobs)),
            entropies=frozen([record.entropy for record in records]),
            mean_logprobs=frozen([record.mean for record in records]),
            top_logprobs=frozen(np.stack([record.top for record in records])),
            vocab_size=self._vocab,
            elapsed_ms=elapsed_ms,
            origin="beam" if self._settings.groups == 1 else "diverse beam",
            setting=f"beams {self._settings.beams}"
            + (f" in {self._settings.groups} groups" if self._settings.groups > 1 else ""),
            seed=self._request.seed,
            beam_score=score,
        )


def _record_rows(logprobs: torch.Tensor, top: int) -> list[RowRecord]:
    """The record of each row: its entropy in nats, the mean and the largest of its log-probabilities."""
    entropies = entropy_rows(logprobs).flatten().tolist()
    means, tops = logprobs.mean(-1), logprobs.topk(min(top, logprobs.shape[-1]), dim=-1).values
    return [
        RowRecord(entropy, float(mean), row.numpy()) for entropy, mean, row in zip(entropies, means, tops, strict=True)
    ]
