"""What a training takes, said before it runs: steps, tokens, compute, memory, time. Pure: the pace is measured elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from playground.models.catalogue import DEFAULT_MODEL
from playground.models.info import LoadedModelInfo
from playground.models.placement import DTYPE_BYTES
from playground.training.masks import Encoded, MaskedText, tokens_of
from playground.training.settings import TrainSettings
from playground.training.split import FEWEST_FOR_HELDOUT

PASS_TOKENS = 256  # of a pass at most, filling included: others wait for half a second, not for a whole batch
LABEL_USD = (10.0, 25.0)  # a written demonstration: the two figures given for InstructGPT's and Llama 2's time
COMPARISON_USD = 3.5  # a comparison of two answers, as reported for Llama 2
INSTRUCTGPT_SHARE = 0.02  # of pre-training's compute went into post-training (2203.02155)
PRETRAINING_TOKENS: Mapping[str, float] = MappingProxyType(
    {
        DEFAULT_MODEL: 2e12,
        "smollm2-360m-instruct": 4e12,
        "qwen2.5-0.5b-instruct": 18e12,
        "gemma-3-270m-it": 6e12,
        "pythia-70m": 300e9,
    }
)
"""As their makers report; of others nothing is said."""

# Bytes a token that a backward pass keeps, fitted to what was measured (docs/teach.md): widths of the hidden state a layer,
# and float32 copies of what a LoRA layer reads and gives.
_WIDTHS_KEPT, _LORA_IN, _LORA_OUT, _LOGITS, _ATTENTION = 18, 4, 8, 16, 8
_SUNDRIES = 30_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds a token on this machine, measured on the rows themselves: ``learn`` forward and back, ``look`` forward alone.

    ``load``: seconds to load the model apart.
    """

    learn: float
    look: float
    load: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """``tokens``: read while learning, all epochs. ``flops``: 6 N a token. ``share_of_pretraining``: of its compute, None where
    its tokens are not known. ``seconds``: None without a pace. ``memory_bytes``: weights of its own and one pass.
    """

    rows: int
    heldout: int
    steps: int
    tokens: int
    counted: int
    trainable_parameters: int
    flops: float
    share_of_pretraining: float | None
    memory_bytes: int
    seconds: float | None


def estimate(
    info: LoadedModelInfo, rows: Sequence[Encoded], settings: TrainSettings, pace: Pace | None = None
) -> Estimate:
    """``rows``: as ``encode_rows`` gives them, those that will be held out among them."""
    heldout = heldout_of(len(rows), settings.heldout_share)
    taught = len(rows) - heldout
    per_epoch = math.ceil(taught / settings.batch)
    each = sum(map(tokens_of, rows)) / max(1, len(rows))
    tokens = round(each * taught * settings.epochs)
    counted = sum(one.taught for row in rows for one in _texts(row)) / max(1, len(rows))
    flops = 6.0 * info.parameters * tokens
    pretraining_tokens = PRETRAINING_TOKENS.get(info.id)
    return Estimate(
        rows=taught,
        heldout=heldout,
        steps=per_epoch * settings.epochs,
        tokens=tokens,
        counted=round(counted * taught * settings.epochs),
        trainable_parameters=trainable_parameters(info, settings),
        flops=flops,
        share_of_pretraining=None if pretraining_tokens is None else tokens / pretraining_tokens,
        memory_bytes=memory_bytes(info, rows, settings),
        seconds=None if pace is None else _seconds(each, taught, heldout, per_epoch, settings, pace),
    )


def heldout_of(rows: int, share: float) -> int:
    """How many ``split`` holds out of different rows."""
    if share <= 0 or rows < FEWEST_FOR_HELDOUT:
        return 0
    return max(1, min(rows - 1, round(share * rows)))


def _texts(row: Encoded) -> tuple[MaskedText, ...]:
    return (row,) if isinstance(row, MaskedText) else row


def _seconds(each: float, taught: int, heldout: int, per_epoch: int, settings: TrainSettings, pace: Pace) -> float:
    looks = 1 + settings.epochs * (1 if per_epoch < 2 else 2)  # at the held-out rows: before, and twice an epoch
    looked = each * heldout * looks
    if settings.kind == "dpo":  # the reference once; KL reads the chosen half with the adapter on and off
        looked += each * (taught + heldout) + each * heldout * looks
    return pace.load + each * taught * settings.epochs * pace.learn + looked * pace.look


def trainable_parameters(info: LoadedModelInfo, settings: TrainSettings) -> int:
    """r (inputs + outputs) for each adapted layer, exact for layers of the Llama kind; a reward model's head beside."""
    sides = sum(sum(shape) for name in settings.targets if (shape := _shape(info, name)))
    head = info.hidden_size if settings.kind == "reward" else 0
    return settings.rank * sides * info.layers + head


def _shape(info: LoadedModelInfo, name: str) -> tuple[int, int]:
    """Inputs and outputs of a layer of this name; (0, 0) for one that is not known."""
    hidden, own, shared = info.hidden_size, info.heads * info.head_dim, info.kv_heads * info.head_dim
    inner = _inner(info)
    return {
        "q_proj": (hidden, own),
        "k_proj": (hidden, shared),
        "v_proj": (hidden, shared),
        "o_proj": (own, hidden),
        "gate_proj": (hidden, inner),
        "up_proj": (hidden, inner),
        "down_proj": (inner, hidden),
        "c_attn": (hidden, 3 * hidden),
        "query_key_value": (hidden, own + 2 * shared),
    }.get(name, (0, 0))


def _inner(info: LoadedModelInfo) -> int:
    """The width inside a gated layer, from the parameters that are left; embeddings taken to be tied."""
    hidden, own, shared = info.hidden_size, info.heads * info.head_dim, info.kv_heads * info.head_dim
    per_layer = (info.parameters - info.vocab_size * hidden - hidden) / info.layers
    return max(0, round((per_layer - 2 * hidden - 2 * hidden * own - 2 * hidden * shared) / (3 * hidden)))


def memory_bytes(info: LoadedModelInfo, rows: Sequence[Encoded], settings: TrainSettings) -> int:
    """The weights apart, the adapter with its gradient and Adam's two moments, and what one pass keeps to go back through.

    Held against the process's memory by ``benchmarks.bench_teach memory`` (docs/teach.md): within a quarter.
    """
    dtype = settings.dtype if settings.dtype in DTYPE_BYTES else info.dtype
    width = DTYPE_BYTES.get(dtype, 4)
    texts = [text for row in rows for text in _texts(row)]
    longest = max((len(text.ids) for text in texts), default=0)
    counted = max((text.taught for text in texts), default=0)
    at_once = 1 if settings.kind == "sft" else 2
    side_by_side = max(at_once, min(PASS_TOKENS // max(1, longest), settings.batch * at_once))
    lora = sum(_LORA_IN * a + _LORA_OUT * b for a, b in (_shape(info, name) for name in settings.targets))
    kept = info.layers * (_WIDTHS_KEPT * width * info.hidden_size + lora)
    attention = info.layers * info.heads * longest * longest * (_ATTENTION if width == 2 else _ATTENTION + 4)
    logits = 0 if settings.kind == "reward" else counted * info.vocab_size * _LOGITS
    adapter = 16 * trainable_parameters(info, settings)
    return info.parameters * width + adapter + side_by_side * (longest * kept + attention + logits) + _SUNDRIES
