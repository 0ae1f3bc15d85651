"""One forward pass that keeps every attention weight, without reloading the model. The engine's thread only.

A fused kernel (sdpa) never forms the weights. transformers lets a model's attention function be named, so for this one
pass the name is ours: it calls the architecture's own eager function, keeps what that returns layer by layer, and the
former name comes back afterwards. The same place sees queries and keys as they enter the dot product, with positions
applied and grouped heads still shared. Architectures from before that interface are asked for ``output_attentions``
and show no queries and keys.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from transformers.masking_utils import AttentionMaskInterface, eager_mask
from transformers.modeling_utils import AttentionInterface
from transformers.models.llama.modeling_llama import eager_attention_forward as plain_attention

from playground.engine.api import CancelToken
from playground.engine.attention_data import AttentionPass, LayerAttention
from playground.engine.hf.attention_recorder import AttentionRecorder, to_float32
from playground.engine.hf.malloc_trim import trim_memory
from playground.engine.hf.runner import PREFILL_CHUNK, ModelRunner
from playground.engine.hf.state import DecoderState
from playground.engine.pieces import Pieces
from playground.engine.types import TokenIds
from playground.errors import CapabilityMissing
from playground.models.describing import RECURRENT_KINDS

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CAPTURE = "playground_capture"
_WORTH_TIDYING = 32 * 2**20  # bytes of a pass
_TELLING = 8  # tokens of a text that shows whether two passes agree: over one token every attention is the same
_ACTIVE = threading.local()  # the pass that listens on this thread, if any


def shows_queries_and_keys(model: PreTrainedModel) -> bool:
    """Whether the architecture's attention goes through transformers' interface, where queries and keys can be seen."""
    return bool(model._can_set_attn_implementation())


def run_attention_pass(
    runner: ModelRunner, ids: TokenIds, start: int, end: int, cancel: CancelToken
) -> Pieces[AttentionPass]:
    """Read ``ids`` up to ``end`` and keep the attention of the positions from ``start``; see ``AttentionPass``.

    What lies before the window is read as usual, from a known prefix where there is one. Raises CapabilityMissing for
    a model that gives no attention weights.
    """
    started = time.perf_counter()
    if not runner.loaded.has_attention:
        raise CapabilityMissing(
            f"{runner.info.name} has no attention ({runner.info.architecture}): choose another model."
        )
    captured = None
    if shows_queries_and_keys(runner.loaded.model):
        captured = yield from _captured(runner, ids, start, end, cancel)
    with runner.running(end):
        logits, layers = captured or _asked_for(runner, ids, start, end, cancel)
    runner.check_numbers(logits)
    if not layers:
        raise _gives_none(runner)
    if not runner.tried.attention:
        with runner.running(end):
            _require_agreement(runner, ids[:end], logits, layers, cancel)
        runner.tried.attention = end >= _TELLING
    attention = AttentionPass(ids, start, end, layers, (time.perf_counter() - started) * 1000)
    if attention.bytes > _WORTH_TIDYING:
        trim_memory()  # the chunks' weights as torch made them, before they were copied to where they are kept
    return attention


def _require_agreement(
    runner: ModelRunner, ids: TokenIds, logits: torch.Tensor, layers: tuple[LayerAttention, ...], cancel: CancelToken
) -> None:
    """Raises CapabilityMissing unless the weights are those of a pass that gives the model's own answer, and causal.

    Asked once a model, of the shortest texts each time: some architectures mask wrongly, or not at all, when they are
    asked for their weights.
    """
    usual, _computed, _state = runner.run(ids, cancel)  # (vocab,), mostly known but for a token
    scale = max(float(usual.abs().max()), 1.0)
    allowed = 1e-3 if usual.dtype == torch.float32 else 6e-2
    answers = float((logits.float() - usual.float()).abs().max()) <= allowed * scale
    causal = not any(np.triu(head, 1).any() for layer in layers for head in layer.weights)
    if not (answers and causal):
        raise _gives_none(runner)


def _gives_none(runner: ModelRunner) -> CapabilityMissing:
    info = runner.info
    return CapabilityMissing(
        f"{info.name} ({info.architecture}) does not give its attention weights: choose another model to look at attention."
    )


# -- through the interface ---------------------------------------------------------------------------------------------


def own_attention(module: nn.Module) -> Callable[..., Any]:
    """The eager attention function of the architecture that ``module`` belongs to."""
    eager_attention: Callable[..., Any] = getattr(
        sys.modules[type(module).__module__], "eager_attention_forward", plain_attention
    )
    return eager_attention


def _capture(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """The attention function under our name: the architecture's own eager one, listened to."""
    output, weights = own_attention(module)(module, query, key, value, attention_mask, **options)
    recorder: AttentionRecorder | None = getattr(_ACTIVE, "recorder", None)
    if recorder is not None:
        scale = options.get("scaling")
        recorder.take(
            getattr(module, "layer_idx", None),
            query,
            key,
            weights,
            attention_mask,
            float(query.shape[-1] ** -0.5 if scale is None else scale),
            options.get("softcap"),
        )
    return output, None


AttentionInterface.register(CAPTURE, _capture)
AttentionMaskInterface.register(CAPTURE, eager_mask)


@contextmanager
def _listening(model: PreTrainedModel, recorder: AttentionRecorder) -> Iterator[None]:
    usual = model.config._attn_implementation
    try:
        model.set_attn_implementation(CAPTURE)
        _ACTIVE.recorder = recorder
        yield
    finally:
        _ACTIVE.recorder = None
        model.set_attn_implementation(usual)


def _captured(
    runner: ModelRunner, ids: TokenIds, start: int, end: int, cancel: CancelToken
) -> Pieces[tuple[torch.Tensor, tuple[LayerAttention, ...]] | None]:
    """The last row's logits (vocab,), and the window in pieces after its prefix; all of it at once where need be.

    None for a model that computes a layer's attention in several parts, or goes through its layers several times.
    """
    recorder = AttentionRecorder(start, end)
    state: DecoderState | None = None
    if runner.keeps_state:
        if runner.can_split(start, end):
            state = yield from _prefix(runner, ids[:start], end, cancel)
            recorder.done = start  # the keys before the window are in the state: each layer's next call shows them
        else:
            state = runner.empty_state()
    while recorder.done < end:
        cancel.check()
        step = runner.piece(recorder.done, end, end, PREFILL_CHUNK)
        piece = ids[recorder.done : recorder.done + step]
        recorder.begin_pass()
        with runner.running(end), _listening(runner.loaded.model, recorder):
            logits = runner.forward([piece], state, last_row=True)[0, -1]
        recorder.done += step
        if recorder.repeats:
            return None
        if recorder.done < end:
            yield
    return logits, recorder.finish()


def _prefix(runner: ModelRunner, ids: TokenIds, total: int, cancel: CancelToken) -> Pieces[DecoderState]:
    """The state of what lies before the window, read with the model's usual attention."""
    if not ids:
        return runner.empty_state()
    _row, _computed, state = yield from runner.run_in_pieces(ids, cancel, total)
    assert state is not None  # keeps_state
    return state.fork(len(ids))  # a stored state is not ours to write to


# -- architectures from before the interface ---------------------------------------------------------------------------


def _asked_for(
    runner: ModelRunner, ids: TokenIds, start: int, end: int, cancel: CancelToken
) -> tuple[torch.Tensor, tuple[LayerAttention, ...]]:
    """``output_attentions`` of the eager code: all of the text at once, no queries and keys."""
    model = runner.loaded.model
    cancel.check()
    inputs = torch.tensor([ids[:end]], device=model.device)  # (1, end)
    with _eager(model):
        output = model(input_ids=inputs, use_cache=False, output_attentions=True)
    attentions = getattr(output, "attentions", None)
    if not attentions or any(layer is None or layer.shape[-2:] != (end, end) for layer in attentions):
        raise _gives_none(runner)
    visible = np.tri(end, dtype=np.bool_)[start:]  # (W, end)
    layers = []
    for index, tensor in zip(_layer_numbers(model, len(attentions)), attentions, strict=True):
        rows = to_float32(tensor[0, :, start:])  # (heads, W, end)
        layers.append(
            LayerAttention(index, rows[:, :, start:].copy(), rows[:, :, :start].sum(-1), rows[:, :, 0].copy(), visible)
        )
    return output.logits[0, -1], tuple(layers)


def _layer_numbers(model: PreTrainedModel, count: int) -> list[int]:
    """The layers that have attention, where the config says which and there are as many; else they are counted."""
    kinds = getattr(model.config.get_text_config(decoder=True), "layer_types", None) or ()
    named = [number for number, kind in enumerate(kinds) if kind not in RECURRENT_KINDS]
    return named if len(named) == count else list(range(count))


@contextmanager
def _eager(model: PreTrainedModel) -> Iterator[None]:
    """Without the fused kernel's kind of mask (Falcon adds a boolean one to its scores)."""
    usual = model.config._attn_implementation
    model.config._attn_implementation = "eager"
    try:
        yield
    finally:
        model.config._attn_implementation = usual
