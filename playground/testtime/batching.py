"""How many rows fit into memory together, estimated before anything runs, and the batches that follow from it.

Sizes in bytes. The estimate counts what grows with the rows: their keys and values, with the capacity that is reserved
ahead of them, and the working copies of their logits. The weights are there already. Knows facts about a model, no model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.errors import BadInput
from playground.generation.types import MOST_ROWS, GenerationRequest
from playground.models.info import LoadedModelInfo
from playground.models.wording import size_text

USABLE_SHARE = 0.5  # of the memory that is free now: others need some, and the estimate is one
RESERVED = 1.25  # a preallocated key-value cache reserves a quarter ahead (``engine/hf/kv_cache.py``)
LEAST_CAPACITY = 64  # positions, and at least so many
LOGIT_COPIES = 6  # float32 rows alive at once in a draw: raw, log-probabilities, after the samplers, final, two scratch
STEP_ROWS = 64  # more together are hardly faster a token, and other sessions would wait longer for their turn
READ_POSITIONS = 512  # run in one pass when texts are read: more are no faster a position
_NUMBER_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True, slots=True)
class BatchMemory:
    """``row_bytes``: the largest row's need. ``needed_bytes`` is the largest batch's estimate, ``unsplit_bytes`` what all rows
    at once would need.
    """

    row_bytes: int
    needed_bytes: int
    unsplit_bytes: int
    usable_bytes: int


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """``batches``: the places of the requests that run together, in order. ``memory`` None: it is not this machine's.

    ``at_once``: the texts of a batch that the engine works on at the same time; None: all.
    """

    batches: tuple[tuple[int, ...], ...]
    memory: BatchMemory | None = None
    at_once: int | None = None

    @property
    def split_by_memory(self) -> bool:
        return self.memory is not None and self.memory.unsplit_bytes > self.memory.usable_bytes


def kv_bytes_per_token(info: LoadedModelInfo) -> int:
    """Keys and values of one position in all layers: 2 · layers · kv_heads · head_dim · bytes a number."""
    return 2 * info.layers * info.kv_heads * info.head_dim * _NUMBER_BYTES.get(info.dtype, 4)


def row_bytes(info: LoadedModelInfo, request: GenerationRequest) -> int:
    """The most one row comes to need: its cache at full length with reserved capacity, and its logits.

    >>> # 30 layers, 3 kv heads of 64, float32, 256 + 64 tokens, 49,152 logits: 400 * 46,080 + 6 * 196,608 = 19.6 MB
    """
    tokens = len(request.prompt_ids) + len(request.generated_ids) + request.max_new_tokens
    reserved = max(int(tokens * RESERVED), tokens + LEAST_CAPACITY)
    return reserved * kv_bytes_per_token(info) + LOGIT_COPIES * 4 * info.vocab_size


def plan_batches(
    info: LoadedModelInfo, requests: Sequence[GenerationRequest], usable_bytes: int, places: Sequence[int] | None = None
) -> BatchPlan:
    """Batches of as many rows as fit into ``usable_bytes``, in the order of the requests, at least one row each.

    A row that does not fit by itself is tried all the same: the engine says so if it really cannot. ``places``: those of
    the requests that are wanted (all).
    """
    wanted = range(len(requests)) if places is None else places
    sizes = {place: row_bytes(info, requests[place]) for place in wanted}
    batches: list[tuple[int, ...]] = []
    present: list[int] = []
    largest = used = 0
    for place, size in sizes.items():
        if present and (used + size > usable_bytes or len(present) >= min(STEP_ROWS, MOST_ROWS)):
            batches.append(tuple(present))
            present, used = [], 0
        present.append(place)
        used += size
        largest = max(largest, used)
    if present:
        batches.append(tuple(present))
    memory = BatchMemory(
        row_bytes=max(sizes.values(), default=0),
        needed_bytes=largest,
        unsplit_bytes=sum(sizes.values()),
        usable_bytes=usable_bytes,
    )
    return BatchPlan(tuple(batches), memory)


def plan_streams(places: Sequence[int], at_once: int | None, *, one_by_one: bool = False) -> BatchPlan:
    """For an engine that samples by itself: all in one batch, of which it works on ``at_once``; or each alone."""
    batches = tuple((place,) for place in places) if one_by_one else (tuple(places),) if places else ()
    return BatchPlan(batches, at_once=at_once)


def plan_readings(
    info: LoadedModelInfo, lengths: Sequence[int], shared: int, usable_bytes: int
) -> tuple[tuple[int, ...], ...]:
    """``reading_groups`` for ``next_logits_in_pieces``: each fits into ``usable_bytes`` with its keys, values and logits
    (of one position a text and length). ``shared``: the tokens that all begin with, which are read once.
    """

    def fits(rows: int, longest: int) -> bool:
        cache = int((longest + LEAST_CAPACITY) * RESERVED) * kv_bytes_per_token(info)
        return rows * (cache + rows * 4 * info.vocab_size) <= usable_bytes

    return reading_groups(lengths, shared, fits)


def reading_groups(
    lengths: Sequence[int], shared: int = 0, fits: Callable[[int, int], bool] = lambda rows, longest: True
) -> tuple[tuple[int, ...], ...]:
    """Groups of neighbouring texts that are read in one pass, at least one in each.

    ``lengths`` in tokens. A group is filled up to its longest text; beyond the ``shared`` ones it has at most
    ``READ_POSITIONS`` positions, so that others get their turn. ``fits`` (rows, longest length) may ask for less.

    >>> reading_groups([200, 200, 90, 600, 90])
    ((0, 1), (2,), (3,), (4,))
    """
    groups: list[tuple[int, ...]] = []
    present: list[int] = []
    for place, length in enumerate(lengths):
        rows, longest = len(present) + 1, max([length, *(lengths[other] for other in present)])
        if present and (rows * (longest - shared) > READ_POSITIONS or not fits(rows, longest)):
            groups.append(tuple(present))
            present = []
        present.append(place)
    return (*groups, tuple(present)) if present else ()


def require_beams(
    info: LoadedModelInfo, request: GenerationRequest, beams: int, groups: int, usable_bytes: int
) -> None:
    """Raise BadInput, with both numbers and the most that fit, where ``beams`` rows together are too many.

    A search's beams exchange their texts at every step, so they cannot be split into batches as samples are. ``groups``:
    the number that fits is a multiple of it.
    """
    each = row_bytes(info, request)
    if beams * each <= usable_bytes:
        return
    most = usable_bytes // each // groups * groups
    advice = f"at most {most} fit" if most else "shorten the prompt or the maximum of new tokens"
    raise BadInput(
        f"beams: {beams} beams need about {size_text(beams * each)} and {size_text(usable_bytes)} may be used, half of what "
        f"is free: {advice}.",
        "beams",
    )


def usable_bytes(info: LoadedModelInfo) -> int:
    """The share of the memory free now on the model's device that rows may take. Asks the machine."""
    from playground.models.hardware import probe

    hardware = probe()
    free = hardware.ram_available_bytes
    if info.device.startswith("cuda"):
        index = int(info.device.partition(":")[2] or 0)
        free = next((gpu.free_bytes for gpu in hardware.cuda if gpu.index == index), free)
    return int(free * USABLE_SHARE)
