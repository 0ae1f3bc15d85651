"""How a loaded model decodes, found by letting it agree with itself; a model that does not is refused or runs slower.

A few tokens are read whole, and again one after the other from what the model keeps of those before. What agrees is
used: transformers' own cache for the layer kinds of the config, else a state the model makes itself (RWKV, xLSTM,
MiniMax), else none, and then every token is a pass over the whole text. A model whose earlier answers move with a later
token is no causal language model (a BERT saved without its task). Knows torch and transformers, no engine and no text.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer, EncoderDecoderCache

from playground.errors import ModelCorrupt, ModelRefused
from playground.models.alibi import add_alibi_once
from playground.models.continuing import make_continue
from playground.models.wording import reason_text, shown

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel
    from transformers.utils import ModelOutput

STATE_ARGUMENTS = ("past_key_values", "cache_params", "state")
"""How a model's ``forward`` calls what it keeps of the tokens read, in the order they are looked for."""

_WHOLE, _BEFORE = 12, 7  # tokens of the check, and how many of them come before the single step
_CAUSAL, _SAME = {torch.float32: 1e-5}, {torch.float32: 1e-4}  # by dtype, relative to the largest logit
_COARSE_CAUSAL, _COARSE_SAME = 1e-2, 6e-2  # half precision: other shapes, other kernels, other last digits


@dataclass(frozen=True, slots=True)
class Decoding:
    """What a model keeps of the tokens read, and how more may follow.

    ``argument``: what its ``forward`` calls that; None for a model that keeps nothing. ``own``: the model makes it
    itself on its first pass, instead of filling a ``DynamicCache``. ``positions``: it must be told where the new tokens
    stand. ``rows``: several rows may go on together, else each for itself (RWKV mixes them up). ``pieces``: several
    tokens may follow at once, else one at a time. ``key_shapes``: heads of keys and numbers of each, layer by
    layer (None for a layer without), empty where they were not looked at.
    """

    argument: str | None
    own: bool = False
    positions: bool = False
    rows: bool = True
    pieces: bool = True
    key_shapes: tuple[tuple[int, int] | None, ...] = ()

    @property
    def key_heads(self) -> int | None:
        """Of the first layer that has some."""
        return next((shape[0] for shape in self.key_shapes if shape is not None), None)


PLAIN = Decoding("past_key_values")
VERIFIED = frozenset(
    [
        "cohere",
        "cohere2",
        "deepseek_v2",
        "deepseek_v3",
        "gemma",
        "gemma2",
        "gemma3_text",
        "glm4",
        "gpt2",
        "gpt_neo",
        "gpt_neox",
        "gptj",
        "granite",
        "llama",
        "mistral",
        "mixtral",
        "olmo",
        "olmo2",
        "opt",
        "phi",
        "phi3",
        "qwen2",
        "qwen2_moe",
        "qwen3",
        "qwen3_moe",
        "smollm3",
        "stablelm",
        "starcoder2",
    ]
)
"""Model types of which the test suite shows that they are ``PLAIN``; they are not asked again at every load."""


WHOLE_CACHE = frozenset({"moshi"})
"""Model types with a sliding window in their config and none in their pass: the cache keeps every position, as their mask
expects (Moshi's own, made by its config, is right for texts shorter than the window only)."""
_WAYS = tuple(  # own state, told positions, several rows; tried in this order
    (own, positions, rows)
    for rows in (True, False)
    for own, positions in ((False, False), (False, True), (True, False))
)


def new_cache(config: PreTrainedConfig) -> Cache:
    """An empty cache of the layer kinds ``config`` asks for."""
    cache = DynamicCache(config=config)
    if config is not None and config.get_text_config(decoder=True).model_type in WHOLE_CACHE:
        cache.layers = [DynamicLayer() for _ in cache.layers]
    return cache


def state_argument(model: PreTrainedModel) -> str | None:
    """What the model's ``forward`` calls the state it goes on from; None where it takes none."""
    parameters = inspect.signature(model.forward).parameters
    return next((name for name in STATE_ARGUMENTS if name in parameters), None)


def find_decoding(model: PreTrainedModel, name: str) -> Decoding:
    """How ``model`` decodes: three or four passes over a few tokens, none for the ``VERIFIED``.

    Raises ModelRefused for one that is not causal or cannot read a text by itself, ModelCorrupt for weights that are
    not numbers.
    """
    config = model.config.get_text_config(decoder=True)
    return PLAIN if config.model_type in VERIFIED and not _looks_ahead(config) else examine(model, name)


def _looks_ahead(config: PreTrainedConfig) -> bool:
    """Whether the config asks for a mask in both directions, as embedding models of causal families do (EmbeddingGemma)."""
    fields = config.to_dict()
    return fields.get("is_causal") is False or any("bidirectional" in key and value for key, value in fields.items())


@torch.inference_mode()
def examine(model: PreTrainedModel, name: str) -> Decoding:
    """The same without the list of those known."""
    make_continue(model)
    add_alibi_once(model)
    ids = _ids(model)
    whole = _require_causal(model, ids, name)
    argument = state_argument(model)
    for own, positions, rows in _WAYS if argument is not None else ():
        try:
            decoding = _follow(model, ids, whole, Decoding(argument, own, positions, rows))
        except Exception:  # not every class takes every kind of cache: each has its own complaint
            continue
        if decoding is not None:
            return decoding
    return Decoding(None)


def _ids(model: PreTrainedModel) -> torch.Tensor:
    """(2, T) token ids, the rows equal but for the last."""
    size = int(model.get_input_embeddings().weight.shape[0])
    generator = torch.Generator().manual_seed(0)
    row = torch.randint(size, (_WHOLE,), generator=generator)
    other = row.clone()
    other[-1] = (int(row[-1]) + 1 + int(torch.randint(max(size - 1, 1), (1,), generator=generator))) % size
    return torch.stack([row, other]).to(model.device)


def _require_causal(model: PreTrainedModel, ids: torch.Tensor, name: str) -> torch.Tensor:
    """Logits (2, T, vocab). Raises ModelRefused where what comes later moves what comes earlier."""
    try:
        logits: torch.Tensor = model(input_ids=ids, use_cache=False).logits.float()  # (2, T, vocab)
        shorter = model(input_ids=ids[:1, :_BEFORE], use_cache=False).logits[0].float()
    except Exception as error:  # a model that wants pictures, sound or an encoder's answer raises what it likes
        raise ModelRefused(
            f"{shown(name)} cannot read a text by itself ({reason_text(error)}): choose a decoder-only language model."
        ) from error
    if not bool(torch.isfinite(logits).all()):
        require_numbers(model, name)
    tolerance = _CAUSAL.get(model.dtype, _COARSE_CAUSAL)
    alone = _SAME.get(model.dtype, _COARSE_SAME)
    first, second = logits
    if _differ(first[:-1], second[:-1], tolerance) or _differ(first[:_BEFORE], shorter, alone):
        raise ModelRefused(
            f"{shown(name)} reads a text in both directions: what it says of a token changes with the tokens after it, "
            "so it cannot continue a text; choose a decoder-only language model."
        )
    return logits


def _follow(model: PreTrainedModel, ids: torch.Tensor, whole: torch.Tensor, way: Decoding) -> Decoding | None:
    """Read some tokens, then one, then the rest at once; None where the single step is not what the whole text gives."""
    assert way.argument is not None
    state: Any = None if way.own else new_cache(model.config)
    alike = _SAME.get(model.dtype, _COARSE_SAME)
    agree: list[bool] = []
    read, whole = (ids, whole) if way.rows else (ids[:1], whole[:1])
    for begin, end in ((0, _BEFORE), (_BEFORE, _BEFORE + 1), (_BEFORE + 1, _WHOLE)):
        given = {} if state is None else {way.argument: state}
        if way.positions:
            given["position_ids"] = torch.arange(begin, end, device=ids.device)[None]
        if begin:  # another text in between: a model that keeps its state in its own layers would mix them up
            model(input_ids=read[:, : begin // 2], use_cache=False)
        output = model(input_ids=read[:, begin:end], use_cache=True, **given)
        state = next_state(output, way.argument, state)
        if state is None:
            return None
        agree.append(not _differ(output.logits.float(), whole[:, begin:end], alike))
    if not all(agree[:2]):
        return None
    return replace(way, pieces=agree[2], key_shapes=_key_shapes(state))


def next_state(output: ModelOutput, argument: str, given: object) -> object:
    """What a pass left to go on from: some models hand it back, others only write into what they were given.

    A decoder that could attend to an encoder hands back two caches; of an encoder that is not there the second is empty.
    """
    returned = output.get(argument) if isinstance(output, Mapping) else getattr(output, argument, None)
    if isinstance(returned, EncoderDecoderCache):
        returned = returned.self_attention_cache
    return given if returned is None else returned


def _key_shapes(state: object) -> tuple[tuple[int, int] | None, ...]:
    keys = [getattr(layer, "keys", None) for layer in getattr(state, "layers", ())]
    return tuple((int(it.shape[1]), int(it.shape[-1])) if it is not None and it.dim() == 4 else None for it in keys)


def agrees(left: torch.Tensor, right: torch.Tensor, dtype: torch.dtype) -> bool:
    """Whether ``left`` are the logits ``right``, computed in another way in ``dtype``."""
    return not _differ(left, right, _SAME.get(dtype, _COARSE_SAME))


def _differ(left: torch.Tensor, right: torch.Tensor, tolerance: float) -> bool:
    scale = max(float(right.abs().max()), 1e-6)
    return bool((left - right).abs().max() > tolerance * scale)


def require_numbers(model: PreTrainedModel, name: str) -> None:
    """Raise ModelCorrupt, naming the first, where a weight is not a number: no other format mends that.

    Fused attention leaves such a position out instead of failing, so a model may answer all the same, and wrongly.
    """
    for tensor, weight in model.named_parameters():
        looked_at = weight.is_floating_point() and weight.element_size() > 1 and not weight.is_meta and weight.numel()
        if looked_at and not all(bool(torch.isfinite(end)) for end in weight.aminmax()):  # isfinite of all: a copy
            raise ModelCorrupt(
                f"{shown(name)} holds weights that are not numbers, {shown(tensor)} first: fetch it again or choose "
                "another."
            )
