"""A language model's weights with a head that gives one number, untrained: what a reward model begins as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.errors import ModelCorrupt, ModelRefused
from playground.models.alibi import add_alibi_once
from playground.models.loading import load_tokenizer, quiet_libraries
from playground.models.locating import LocatedModel
from playground.models.wording import reason_text, shown

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def read_with_head(located: LocatedModel, seed: int) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model of ``located`` as a sequence classifier with one output, drawn by ``seed``; in eval mode, without gradients.

    Raises ModelRefused where there is no such class for it, ModelCorrupt where a tensor other than the head's is missing.
    """
    import torch
    from transformers import AutoModelForSequenceClassification

    if located.source.kind == "gguf":
        raise ModelRefused("A .gguf file cannot become a reward model here: choose a folder or hub id in safetensors.")
    quiet_libraries()
    tokenizer = load_tokenizer(located)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model, report = AutoModelForSequenceClassification.from_pretrained(
                located.folder,
                num_labels=1,
                dtype=getattr(torch, located.placement.dtype),
                attn_implementation="eager",
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
    except ValueError as error:
        raise ModelRefused(
            f"{shown(located.source.id)} has no form with a scoring head ({reason_text(error)}): choose another model."
        ) from error
    except Exception as error:  # transformers raises whatever its parts raise
        raise ModelCorrupt(
            f"{shown(located.source.id)} cannot be loaded ({reason_text(error)}): choose another."
        ) from error
    lacking = [name for name in report.get("missing_keys", ()) if not str(name).startswith(("score", "classifier"))]
    if lacking:
        raise ModelCorrupt(f"{shown(located.source.id)} lacks {len(lacking)} of its tensors: fetch it again.")
    if model.config.pad_token_id is None:  # the head reads the last token that is no filling
        model.config.pad_token_id = (
            tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
        )
    add_alibi_once(model)
    model.requires_grad_(False)
    return model.to(located.placement.device).eval(), tokenizer
