"""How many rows fit into memory together, estimated before anything runs, and the batches that follow from it.

Sizes in bytes. The estimate counts what grows with the rows: their keys and values, with the room that is reserved
ahead of them, and the working copies of their logits. The weights are there already. Knows facts about a model, no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.generation.types import MOST_ROWS, GenerationRequest
from playground.models.info import ModelInfo

USABLE_SHARE = 0.5  # of the memory that is free now: others need some, and the estimate is one
RESERVED = 1.25  # a growing cache reserves a quarter ahead (see ``engine.growing``)
LEAST_ROOM = 64  # positions, and at least so many
LOGIT_COPIES = 6  # float32 rows alive at once in a draw: raw, log-probabilities, after the samplers, final, two scratch
STEP_ROWS = 64  # more together are hardly faster a token, and other sessions would wait longer for their turn
_NUMBER_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """``batches``: the places of the requests that run together, in order. ``row_bytes``: the largest row's need.

    ``needed_bytes`` is the largest batch's estimate, ``unsplit_bytes`` what all rows at once would need.
    """

    batches: tuple[tuple[int, ...], ...]
    row_bytes: int
    needed_bytes: int
    unsplit_bytes: int
    usable_bytes: int

    @property
    def split_by_memory(self) -> bool:
        return self.unsplit_bytes > self.usable_bytes


def kv_bytes_per_token(info: ModelInfo) -> int:
    """Keys and values of one position in all layers: 2 · layers · kv_heads · head_dim · bytes a number."""
    return 2 * info.layers * info.kv_heads * info.head_dim * _NUMBER_BYTES.get(info.dtype, 4)


def row_bytes(info: ModelInfo, request: GenerationRequest) -> int:
    """The most one row comes to need: its cache at full length with reserved room, and its logits.

    >>> # 30 layers, 3 kv heads of 64, float32, 256 + 64 tokens, 49,152 logits: 400 * 46,080 + 6 * 196,608 = 19.6 MB
    """
    tokens = len(request.prompt_ids) + len(request.generated_ids) + request.max_new_tokens
    reserved = max(int(tokens * RESERVED), tokens + LEAST_ROOM)
    return reserved * kv_bytes_per_token(info) + LOGIT_COPIES * 4 * info.vocab_size


def plan_batches(
    info: ModelInfo, requests: Sequence[GenerationRequest], usable_bytes: int, places: Sequence[int] | None = None
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
    return BatchPlan(
        batches=tuple(batches),
        row_bytes=max(sizes.values(), default=0),
        needed_bytes=largest,
        unsplit_bytes=sum(sizes.values()),
        usable_bytes=usable_bytes,
    )


def usable_bytes(info: ModelInfo) -> int:
    """The share of the memory free now on the model's device that rows may take. Asks the machine."""
    from playground.models.hardware import probe

    hardware = probe()
    free = hardware.ram_available_bytes
    if info.device.startswith("cuda"):
        index = int(info.device.partition(":")[2] or 0)
        free = next((gpu.free_bytes for gpu in hardware.cuda if gpu.index == index), free)
    return int(free * USABLE_SHARE)
