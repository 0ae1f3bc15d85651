"""What a loaded model says of itself, in ``LoadedModelInfo``: read off its config, its weights and its tokenizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.errors import ModelCorrupt
from playground.models.catalogue import CATALOGUE
from playground.models.info import LoadedModelInfo
from playground.models.wording import shown

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

    from playground.models.decoding import Decoding
    from playground.models.locating import LocatedModel


def describe(
    located: LocatedModel, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, decoding: Decoding
) -> LoadedModelInfo:
    """The facts of a model that has been read."""
    source, folder = located.source, located.folder
    config = model.config.get_text_config(decoder=True)
    entry = CATALOGUE.get(source.id)
    heads, hidden = setting(config, "num_attention_heads"), setting(config, "hidden_size")
    head = model.get_output_embeddings()
    return LoadedModelInfo(
        id=source.id,
        name=entry.title if entry else (source.hub_id or folder.stem).rsplit("/", 1)[-1],
        revision=located.revision,
        architecture=type(model).__name__,
        parameters=sum(weight.numel() for weight in model.parameters()),
        weights_bytes=sum(weight.numel() * weight.element_size() for weight in model.parameters()),
        device=str(next(model.parameters()).device),
        dtype=located.placement.dtype,
        vocab_size=int(head.weight.shape[0]) if head is not None else int(config.vocab_size),
        context_length=context_length(config, tokenizer),
        layers=setting(config, "num_hidden_layers"),
        heads=heads,
        kv_heads=(0 if setting(config, "kv_lora_rank") else decoding.key_heads)
        or setting(config, "num_key_value_heads")
        or heads,
        head_dim=setting(config, "head_dim") or (hidden // heads if heads else 0),
        hidden_size=hidden,
        has_chat_template=bool(getattr(tokenizer, "chat_template", None)),
        eos_token_ids=eos_token_ids(model, tokenizer),
        license=entry.license if entry else None,
        quantised=located.is_quantised,
    )


def setting(config: PreTrainedConfig, name: str) -> int:
    """A whole number of a config, 0 where it has none; the largest where it varies by layer (Gemma 4)."""
    try:
        values = [getattr(config, name, None)]
    except RuntimeError:  # transformers will not say one for all layers
        values = [getattr(layer, name, None) for layer in config.per_layer_config]
    return max((int(value) for value in values if isinstance(value, int)), default=0)


CONTEXT_SETTINGS = (
    "max_position_embeddings",
    "n_positions",
    "max_sequence_length",
    "seq_length",
    "max_seq_len",
    "context_length",
    "model_max_length",
)


def context_length(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    """Positions the model was made for, in tokens; the tokenizer's word for it where the config has none."""
    for name in CONTEXT_SETTINGS:
        value = getattr(config, name, None)
        if isinstance(value, int) and value > 0:  # XLNet's -1 is no limit
            return value
    stated = getattr(tokenizer, "model_max_length", None) or 0
    return int(stated) if 0 < stated < 10**7 else 2048


def eos_token_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """Every id that ends a text, from the generation config, the config and the tokenizer, in that order. Raises ModelCorrupt."""
    eos_ids: list[int] = []
    holders = (getattr(model, "generation_config", None), model.config.get_text_config(), tokenizer)
    for value in (getattr(holder, "eos_token_id", None) for holder in holders):
        for id in value if isinstance(value, list | tuple) else (value,):
            if not isinstance(id, int | None):
                raise ModelCorrupt(f"The id that ends a text of this model is {shown(id)}, no number: fetch it again.")
            if id is not None and id not in eos_ids:
                eos_ids.append(id)
    return tuple(eos_ids)


RECURRENT_KINDS = frozenset({"linear_attention", "mamba", "conv", "moe"})
"""What configs call layers without attention."""


def has_attention(model: PreTrainedModel) -> bool:
    """Whether some of the layers have attention: heads are stated, and not every layer is a recurrent one."""
    config = model.config.get_text_config(decoder=True)
    kinds = getattr(config, "layer_types", None) or ()
    recurrent = bool(kinds) and RECURRENT_KINDS.issuperset(kinds)
    return setting(config, "num_attention_heads") > 0 and not recurrent
