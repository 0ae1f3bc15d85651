"""One token for rows of many batches in one forward pass, each with its own cache and length.

The linear layers see all rows side by side, (R, 1); a cache and an attention function of ours, under transformers' own
interfaces, give each group of rows its own keys. No cache is copied and nothing is padded, so a row's numbers do not
depend on who else is in the pass ("selective batching", Yu et al. 2022, Orca). Whether a model can be run so is seen by
trying it. Torch in, torch out, on the engine's thread; knows no batch and no session.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers.cache_utils import CacheLayerMixin, DynamicCache, DynamicSlidingWindowLayer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS, AttentionInterface

from playground.engine.cpu_threads import cpu_threads
from playground.engine.hf.attention_pass import own_attention
from playground.engine.hf.kv_cache import PreallocatedLayer
from playground.engine.hf.runner import ModelRunner
from playground.engine.hf.state import DecoderState
from playground.models.decoding import agrees

JOINT = "playground_joint"
_WINDOWS = {"full_attention", "sliding_attention"}  # of these the cache holds what a new token sees, and no more
_FEW_KEYS = 1024  # rows times keys of a group; fewer are seen to before a second thread has woken
_ACTIVE = threading.local()  # the pass that runs on this thread, if any


@dataclass(frozen=True, slots=True)
class Part:
    """Rows ``begin`` and on of one state, with the token each is fed. ``complete``: the last of the state's rows."""

    state: DecoderState
    begin: int
    tokens: Sequence[int]
    complete: bool = True


class NotJoined(ValueError):
    """The model does something else than to ask for its cache and its attention function once a layer."""


def can_join(state: DecoderState | None) -> bool:
    """Whether the state's layers keep what a new token sees, and only that, for each row by itself."""
    return (
        state is not None
        and type(state.value) is DynamicCache
        and all(type(layer) in (PreallocatedLayer, DynamicSlidingWindowLayer) for layer in state.value.layers)
    )


def can_split(state: DecoderState | None) -> bool:
    """Whether some rows of one that can join may go ahead of the others."""
    return state is not None and all(type(layer) is PreallocatedLayer for layer in state.value.layers)


class _JointCache(DynamicCache):  # type: ignore[misc]  # transformers is not typed
    """What the model takes for its cache. New keys wait here for their layer's attention function."""

    def __init__(self, parts: Sequence[Part], usual: str) -> None:
        super().__init__()
        self.layers = list(parts[0].state.value.layers)  # for a model that asks for a length; positions are told
        self._places = [(part.state.value.layers, part.begin, part.begin + len(part.tokens)) for part in parts]
        self._sizes = [len(part.tokens) for part in parts]
        self._threads = 1 if all(len(part.tokens) * part.state.length <= _FEW_KEYS for part in parts) else None
        self._usual = usual
        self._waiting: tuple[int, torch.Tensor, torch.Tensor] | None = None
        self._moved: list[tuple[CacheLayerMixin, CacheLayerMixin]] = []

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self.require_used()
        self._waiting = (layer_idx, key_states, value_states)
        return key_states, value_states

    def require_used(self) -> None:
        """Raises NotJoined where the last layer did not come for its keys."""
        if self._waiting is not None:
            raise NotJoined("a layer's attention does not go through transformers' interface")

    def attend(
        self, module: nn.Module, query: torch.Tensor, key: torch.Tensor, options: dict[str, Any]
    ) -> torch.Tensor:
        """(R, heads, 1, d) -> (R, 1, heads, d): each group over its own keys."""
        if self._waiting is None or key is not self._waiting[1]:
            raise NotJoined("a layer attends to something else than what its cache gave it")
        (index, keys, values), self._waiting = self._waiting, None
        attend = self._function(module, options)
        with cpu_threads(self._threads):
            groups = zip(
                *(torch.split_with_sizes(rows, self._sizes) for rows in (query, keys, values)),
                self._places,
                strict=True,
            )
            return torch.cat(
                [
                    attend(own_query, *self._extend(layers[index], begin, end, key, value))
                    for own_query, key, value, (layers, begin, end) in groups
                ]
            )

    def _extend(
        self, layer: CacheLayerMixin, begin: int, end: int, key: torch.Tensor, value: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """All keys and values of a group's rows, the new ones with them."""
        if type(layer) is PreallocatedLayer:
            return layer.place(begin, end, key[:, :, 0], value[:, :, 0])
        twin = copy.copy(layer)  # its tensors are never written to
        self._moved.append((layer, twin))
        keys_and_values: tuple[torch.Tensor, torch.Tensor] = twin.update(key, value)
        return keys_and_values

    def _function(self, module: nn.Module, options: dict[str, Any]) -> Callable[..., torch.Tensor]:
        """The model's usual attention of one new token, all of whose keys it sees."""
        if self._usual != "sdpa" or options.get("position_bias") is not None:
            usual = ALL_ATTENTION_FUNCTIONS.get_interface(self._usual, own_attention(module))
            return lambda query, keys, values: usual(module, query, keys, values, None, **options)[0]
        scale = options.get("scaling")

        def fused(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
            rows, heads, _, size = query.shape
            grouped = query.reshape(rows, keys.shape[1], -1, size)  # heads that share keys are queries of the same keys
            attended = scaled_dot_product_attention(grouped, keys, values, scale=scale)
            return attended.reshape(rows, 1, heads, -1)

        return fused

    def count(self, parts: Sequence[Part]) -> None:
        """The pass has succeeded: what was written is the states' own."""
        for layer, twin in self._moved:
            layer.__dict__.update(twin.__dict__)
        for part in parts:
            if part.complete:
                part.state.length += 1
                for layer in part.state.value.layers:
                    if type(layer) is PreallocatedLayer:
                        layer.count()


def _joint_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """The attention function under our name."""
    cache: _JointCache | None = getattr(_ACTIVE, "cache", None)
    if cache is None or attention_mask is not None:
        raise NotJoined("the model makes a mask of its own")
    return cache.attend(module, query, key, options), None


AttentionInterface.register(JOINT, _joint_attention)  # a name without a mask function: no mask is made


@contextmanager
def _joined(config: Any, usual: str, cache: _JointCache) -> Iterator[None]:  # noqa: ANN401 - of any architecture
    try:
        config._attn_implementation = JOINT
        _ACTIVE.cache = cache
        yield
        cache.require_used()
    finally:
        _ACTIVE.cache = None
        config._attn_implementation = usual


def joint_step(runner: ModelRunner, parts: Sequence[Part]) -> torch.Tensor:
    """The next logits (R, vocab) of the parts' rows, in order. Called within ``runner.running``.

    A pass that fails changes nothing.
    """
    config = runner.loaded.model.config
    usual = config._attn_implementation
    cache = _JointCache(parts, usual)
    tokens = [(token,) for part in parts for token in part.tokens]
    positions = [(part.state.length,) for part in parts for _ in part.tokens]
    with _joined(config, usual, cache):
        logits = runner.forward_joint(tokens, positions, cache)
    cache.count(parts)
    return logits


def joins_steps(runner: ModelRunner) -> bool:
    """Whether a joint step gives the numbers of separate ones on this model; tried once, on a few tokens."""
    if runner.tried.steps is None:
        runner.tried.steps = _is_plain(runner) and _agree(runner)
    return runner.tried.steps


def _is_plain(runner: ModelRunner) -> bool:
    kinds = getattr(runner.loaded.model.config.get_text_config(decoder=True), "layer_types", None) or ()
    return runner.takes_pieces and runner.joins_rows and set(kinds) <= _WINDOWS


def _agree(runner: ModelRunner) -> bool:
    """Rows of two lengths, two of them of one state: a step together, and each state's by itself."""
    tokens = [token % runner.info.vocab_size for token in range(3, 14)]
    try:
        with torch.inference_mode():
            states, twins = ([_read(runner, tokens[:5], 2), _read(runner, tokens, 1)] for _ in range(2))
            if not all(map(can_join, states)):
                return False
            fed = [[tokens[-1], tokens[0]], [tokens[1]]]
            apart = [
                runner.forward([(token,) for token in row], twin, last_row=True)[:, -1]
                for row, twin in zip(fed, twins, strict=True)
            ]
            parts = [Part(state, 0, row) for state, row in zip(states, fed, strict=True)]
            return agrees(joint_step(runner, parts).float(), torch.cat(apart).float(), runner.loaded.model.dtype)
    except Exception:  # an architecture that cannot has a complaint of its own
        return False


def _read(runner: ModelRunner, tokens: Sequence[int], rows: int) -> DecoderState:
    state = runner.empty_state()
    runner.forward([tuple(tokens)], state, last_row=True)
    return state.preallocate(rows)
