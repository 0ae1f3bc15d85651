"""Beam search and diverse beam search on an engine's batch, as candidates of the same table as the samples.

Beam search follows transformers' ``generate(num_beams=...)`` to the token: the same candidates a step, the same end.
Diverse beam search (Vijayakumar et al. 2016, "Diverse Beam Search", section 4, Hamming diversity) splits the beams into
groups that take turns within a step; a token that k beams of earlier groups have just taken costs k times the penalty.

Both search the model's own distribution: no sampler runs. Longer than most files: one step of the search reads best in
one place.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from playground.engine.api import Batch, CancelToken, Engine, Rows, TextCodec, timed
from playground.engine.facets import require
from playground.engine.types import FloatArray
from playground.errors import BadInput
from playground.generation import GenerationRequest, check_requests
from playground.generation.stopping import Ending, StopWatch
from playground.numerics import entropy_rows
from playground.testtime.batching import require_beams, usable_bytes
from playground.testtime.events import BatchStep
from playground.testtime.types import Candidate

MOST_BEAMS = 32
NEVER = -1.0e9  # a score that no beam reaches


@dataclass(frozen=True, slots=True)
class BeamSettings:
    """``beams`` in ``groups`` of equal size (1: plain beam search). Checked on creation: BadInput names its field.

    A finished text of n tokens scores sum(log p) / n ** ``length_penalty``. ``early_stopping`` as in transformers: True
    ends once ``beams`` texts are finished, False when the best running beam cannot win at its present length, "never"
    only when it could not win at any length.
    """

    beams: int = 4
    groups: int = 1
    diversity_penalty: float = 0.0
    length_penalty: float = 1.0
    early_stopping: bool | Literal["never"] = False

    def __post_init__(self) -> None:
        if isinstance(self.beams, bool) or not isinstance(self.beams, int) or not 1 <= self.beams <= MOST_BEAMS:
            raise BadInput(f"beams: from 1 to {MOST_BEAMS}, not {str(self.beams)[:40]}.", "beams")
        if isinstance(self.groups, bool) or not isinstance(self.groups, int) or not 1 <= self.groups <= self.beams:
            raise BadInput(f"beam_groups: from 1 to the number of beams, not {str(self.groups)[:40]}.", "beam_groups")
        if self.beams % self.groups:
            raise BadInput(
                f"beam_groups: {self.beams} beams cannot be split into {self.groups} equal groups.", "beam_groups"
            )
        for name, value, low, high in (
            ("diversity_penalty", self.diversity_penalty, 0.0, 100.0),
            ("length_penalty", self.length_penalty, -5.0, 5.0),
        ):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise BadInput(f"{name}: from {low:g} to {high:g}, not {str(value)[:40]}.", name)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What is recorded of one row's distribution: shared by all beams that go on from it."""

    entropy: float
    mean: float
    top: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Beam:
    """A text as a chain of tokens. ``row``: the batch row that holds all but its last token."""

    before: _Beam | None
    token: int
    logprob: float
    seen: _Seen | None
    row: int
    ended: Ending | None = None

    def chain(self) -> list[_Beam]:
        found: list[_Beam] = []
        beam: _Beam | None = self
        while beam is not None and beam.seen is not None:
            found.append(beam)
            beam = beam.before
        return found[::-1]


@dataclass
class _Group:
    """A group's running beams, best first, and the best finished texts. Scores are float32 tensors."""

    running: list[_Beam]
    scores: torch.Tensor  # (size,)
    finished: list[_Beam | None]
    finished_scores: torch.Tensor  # (size,)
    improvable: bool = True
    over: bool = False
    chosen: list[int] = field(default_factory=list)  # the tokens its running beams took in this step

    @property
    def size(self) -> int:
        return len(self.finished)

    @property
    def full(self) -> bool:
        return all(beam is not None for beam in self.finished)


def check_beams(engine: Engine, request: GenerationRequest, settings: BeamSettings, memory: int | None = None) -> None:
    """Raise BadInput or BadPrompt for a search that cannot be made. ``memory``: the bytes its rows may take together, None
    to ask the machine.
    """
    check_requests([request], engine.info)
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
            started = time.perf_counter()
            rows = search.step(batch)
            length += 1
            if rows:
                batch.select_rows([beam.row for beam in rows])
                batch.step([beam.token for beam in rows], cancel=token)
                search.renumber()
            spent_ms = (time.perf_counter() - started) * 1000
            decode_ms += spent_ms
            found = () if rows else search.candidates(first_index, decode_ms)
            context = len(request.prompt_ids) + length
            yield BatchStep(-1, len(rows) or settings.beams, context, spent_ms, found, prefill_ms)
            prefill_ms = None
            if not rows:
                return found
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
        self._kept = max(2, 1 + len(self._eos)) * size  # so many continuations leave ``size`` that have not ended
        self._groups = []
        for number in range(settings.groups):
            roots = [_Beam(None, -1, 0.0, None, number * size + place) for place in range(size)]
            scores = torch.zeros(size)
            scores[1:] = NEVER  # all beams are alike yet: only the first may go on
            self._groups.append(_Group(roots, scores, [None] * size, torch.full((size,), NEVER)))

    def step(self, batch: Batch) -> list[_Beam]:
        """One token further. Returns the beams that go on, in order; none when the search is over."""
        logits = torch.from_numpy(np.array(batch.logits))  # (rows, vocab)
        logprobs = logits.log_softmax(-1)
        seen = _look(logprobs, self._request.top)
        taken: dict[int, int] = {}
        self._length += 1
        for group in self._groups:
            if group.over:
                continue
            self._extend(group, logprobs, seen, taken)
            for token in group.chosen:
                taken[token] = taken.get(token, 0) + 1
        return [beam for group in self._groups if not group.over for beam in group.running]

    def renumber(self) -> None:
        """The batch now has one row a running beam, in order."""
        rows = 0
        for group in self._groups:
            if not group.over:
                group.running = [
                    _Beam(beam.before, beam.token, beam.logprob, beam.seen, rows + place)
                    for place, beam in enumerate(group.running)
                ]
                rows += group.size

    def _extend(self, group: _Group, logprobs: torch.Tensor, seen: Sequence[_Seen], taken: dict[int, int]) -> None:
        """The best continuations of a group's beams; those that end are weighed against its finished texts."""
        own = logprobs[[beam.row for beam in group.running]]  # (size, vocab)
        steered = own
        if taken and self._settings.diversity_penalty:
            steered = own.clone()
            for token, times in taken.items():
                steered[:, token] -= self._settings.diversity_penalty * times
        total = (steered + group.scores[:, None]).flatten()
        best, places = torch.topk(total, self._kept)
        beams = [self._child(group, int(place), own, seen) for place in places]
        ended = torch.tensor([beam.ended is not None for beam in beams])
        order = torch.argsort(ended.int(), stable=True)[: group.size]  # what goes on first, the best before the others
        self._weigh(group, beams, best, ended)
        group.running, group.scores = [beams[int(place)] for place in order], (best + ended.float() * NEVER)[order]
        group.chosen = [beam.token for beam in group.running]
        group.over = self._is_over(group, bool(ended.all()))

    def _child(self, group: _Group, place: int, own: torch.Tensor, seen: Sequence[_Seen]) -> _Beam:
        number, token = divmod(place, own.shape[1])
        parent = group.running[number]
        beam = _Beam(parent, token, float(own[number, token]), seen[parent.row], parent.row)
        ended = self._ending(beam)
        return beam if ended is None else _Beam(parent, token, beam.logprob, beam.seen, parent.row, ended)

    def _ending(self, beam: _Beam) -> Ending | None:
        request = self._request
        last = self._length >= request.max_new_tokens
        if not (last or request.stop_strings or beam.token in self._eos or beam.token in request.stop_ids):
            return None
        return self._watched(beam)[1]

    def _watched(self, beam: _Beam) -> tuple[StopWatch, Ending | None]:
        watch, ending = StopWatch(self._request, self._codec), None
        for link in beam.chain():
            ending = watch.feed(link.token)
            if ending is not None:
                break
        return watch, ending

    def _weigh(self, group: _Group, beams: Sequence[_Beam], best: torch.Tensor, ended: torch.Tensor) -> None:
        """Take over ended texts that are better than the worst finished one. Only the first ``size`` may count."""
        count = ended & (torch.arange(len(beams)) < group.size)
        scores = best / float(self._length) ** self._settings.length_penalty
        shut = not group.improvable or (group.full and self._settings.early_stopping is True)
        scores = scores + (float(shut) + (~count).float()) * NEVER
        merged = torch.cat([group.finished_scores, scores])
        candidates = [*group.finished, *(beam if counts else None for beam, counts in zip(beams, count, strict=True))]
        group.finished_scores, order = torch.topk(merged, group.size)
        group.finished = [candidates[int(place)] for place in order]

    def _is_over(self, group: _Group, all_ended: bool) -> bool:
        """transformers' three reasons to stop: nothing to win, enough finished, nothing left to go on with."""
        settings = self._settings
        to_end = settings.early_stopping == "never" and settings.length_penalty > 0.0
        length = self._request.max_new_tokens if to_end else self._length
        possible = group.scores[0] / float(length) ** settings.length_penalty
        worst = float(group.finished_scores.min())
        bars = [worst if beam is not None else NEVER for beam in group.finished]
        group.improvable = group.improvable and any(float(possible) > bar for bar in bars)
        return not group.improvable or (group.full and settings.early_stopping is True) or all_ended

    def candidates(self, first_index: int, elapsed_ms: float) -> tuple[Candidate, ...]:
        """All finished texts, best score first."""
        found = [
            (float(score), beam)
            for group in self._groups
            for score, beam in zip(group.finished_scores, group.finished, strict=True)
            if beam is not None
        ]
        found.sort(key=lambda pair: -pair[0])
        return tuple(
            self._candidate(first_index + place, beam, score, elapsed_ms) for place, (score, beam) in enumerate(found)
        )

    def _candidate(self, index: int, beam: _Beam, score: float, elapsed_ms: float) -> Candidate:
        watch, ending = self._watched(beam)
        assert ending is not None
        chain = beam.chain()
        known = [link.seen for link in chain if link.seen is not None]
        logprobs = _frozen([link.logprob for link in chain])
        return Candidate(
            index=index,
            prompt_ids=self._request.prompt_ids,
            ids=tuple(link.token for link in chain),
            text=watch.split(ending)[0],
            finish_reason=ending.reason,
            raw_logprobs=logprobs,
            probs=_frozen(np.exp(logprobs)),
            entropies=_frozen([seen.entropy for seen in known]),
            mean_logprobs=_frozen([seen.mean for seen in known]),
            top_logprobs=_frozen(np.stack([seen.top for seen in known])),
            vocab_size=self._vocab,
            elapsed_ms=elapsed_ms,
            origin="beam" if self._settings.groups == 1 else "diverse beam",
            setting=f"beams {self._settings.beams}"
            + (f" in {self._settings.groups} groups" if self._settings.groups > 1 else ""),
            seed=self._request.seed,
            beam_score=score,
        )


def _look(logprobs: torch.Tensor, top: int) -> list[_Seen]:
    """The record of each row: its entropy in nats, the mean and the largest of its log-probabilities."""
    entropies = entropy_rows(logprobs).flatten().tolist()
    means, tops = logprobs.mean(-1), logprobs.topk(min(top, logprobs.shape[-1]), dim=-1).values
    return [_Seen(entropy, float(mean), row.numpy()) for entropy, mean, row in zip(entropies, means, tops, strict=True)]


def _frozen(values: Sequence[float] | FloatArray) -> FloatArray:
    array = np.array(values, dtype=np.float32)
    array.flags.writeable = False
    return array
