"""Load a model and its tokenizer, or say in one sentence why not.

Decoder-only language models from safetensors or GGUF, without running a line of the model's own code. Knows
transformers and accelerate; knows nothing of the engine that will drive the model.
"""

from __future__ import annotations

import gc
import io
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import BadInput, ModelCorrupt, ModelError, PlaygroundError
from playground.models.catalogue import CATALOGUE, ModelSource
from playground.models.estimate import MemoryNeed
from playground.models.foreign import foreign_errors
from playground.models.hardware import Hardware
from playground.models.info import LoadedModelInfo
from playground.models.locating import LocatedModel, locate
from playground.models.placement import Placement
from playground.models.wording import Progress, reason_text, shown, silent, within

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

    from playground.models.decoding import Decoding

ATTENTION_IMPLEMENTATIONS = ("sdpa", "eager")


@dataclass(slots=True)
class LoadedModel:
    """A model ready to run: in eval mode, without gradients, on its device.

    ``attn_implementation`` is what was used ("sdpa" or "eager"); attention weights come out only under "eager".
    ``has_attention``: in some layers at least. ``decoding``: what the model keeps of the tokens read. Not frozen,
    because ``unload`` must be able to let go of the weights.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    info: LoadedModelInfo
    source: ModelSource
    placement: Placement
    memory: MemoryNeed
    attn_implementation: str
    has_attention: bool
    decoding: Decoding


def load(
    spec: str | None = None,
    *,
    device: str | None = None,
    dtype: str | None = None,
    hardware: Hardware | None = None,
    attn_implementation: str | None = None,
    progress: Progress | None = None,
) -> LoadedModel:
    """Load what ``spec`` names (see ``catalogue.resolve``; None is the default model).

    ``device`` and ``dtype`` as in ``placement.choose``. ``attn_implementation``: "sdpa" (the default where the model
    has it) or "eager". ``progress`` is called from this thread. Raises ModelNotFound, ModelRefused, ModelCorrupt,
    ModelTooLarge or BadInput, always before the weights are read where that can be known before, and never leaves a
    half-loaded model behind.
    """
    if attn_implementation not in (None, *ATTENTION_IMPLEMENTATIONS):
        known = " or ".join(ATTENTION_IMPLEMENTATIONS)
        raise BadInput(
            f"The attention {shown(attn_implementation)} is unknown: choose {known}.", field="attn_implementation"
        )
    report = progress or silent
    located = locate(spec, device=device, dtype=dtype, hardware=hardware, progress=within(report, 0.0, 0.7))
    return read(located, attn_implementation=attn_implementation, progress=within(report, 0.7, 1.0))


def read(
    located: LocatedModel,
    *,
    attn_implementation: str | None = None,
    progress: Progress | None = None,
) -> LoadedModel:
    """Read the weights of a model that was found and its tokenizer; errors as ``load``."""
    report, source, folder = progress or silent, located.source, located.folder
    report("Loading the weights", 0.15)
    quiet_libraries()
    model = _load_weights(source, folder, located.placement, attn_implementation)
    report("Loading the tokenizer", 0.85)
    tokenizer = load_tokenizer(located)
    report("Looking at the model", 0.95)
    from playground.models.decoding import find_decoding

    try:
        decoding = find_decoding(model, source.id)
    except PlaygroundError:
        del model
        gc.collect()
        raise
    info = _describe(located, model, tokenizer, decoding)
    report("The model is ready", 1.0)
    used = str(getattr(model.config, "_attn_implementation", None) or "eager")
    return LoadedModel(
        model, tokenizer, info, source, located.placement, located.memory, used, has_attention(model), decoding
    )


def unload(loaded: LoadedModel) -> None:
    """Let go of the weights and give the memory back. ``loaded`` is unusable afterwards; a second call does nothing."""
    loaded.model = None
    loaded.tokenizer = None
    frozen = gc.get_freeze_count()  # by a server, see ``ui/runtime.py``
    gc.unfreeze()
    gc.collect()
    if frozen:
        gc.freeze()
    if loaded.placement.device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()


def quiet_libraries() -> None:
    """Keep transformers' warnings and progress bars off the user's terminal; our errors say what matters."""
    import transformers
    from huggingface_hub.utils.tqdm import disable_progress_bars

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    disable_progress_bars()


def _load_weights(
    source: ModelSource, path: Path, placement: Placement, attn_implementation: str | None
) -> PreTrainedModel:
    """The model in eval mode. Raises ModelCorrupt when a tensor is missing: transformers would make up random ones."""
    import torch
    from transformers import AutoModelForCausalLM

    folder, extra = _reader(source, path)
    if attn_implementation is not None:
        extra["attn_implementation"] = attn_implementation
    if placement.device_map is not None:
        extra["device_map"] = placement.device_map
    try:
        with _hushed(source):
            model, report = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=getattr(torch, placement.dtype),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # told below, by name; transformers prints a table for it
                **extra,
            )
        _require_all_tensors(source, report)
        if placement.device_map is None and placement.device != "cpu":
            model.to(placement.device)
    except PlaygroundError:
        raise
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"{placement.device} ran out of memory loading {shown(source.id)}: choose a smaller model."
        ) from error
    except Exception as error:  # transformers raises whatever its parts raise
        raise ModelCorrupt(
            f"{shown(source.id)} cannot be loaded ({reason_text(error)}): fetch it again or choose another."
        ) from error
    model.requires_grad_(False)
    return model.eval()


def _hushed(source: ModelSource) -> AbstractContextManager[object]:
    """Swallow stderr while a GGUF file is unpacked: transformers draws that progress bar whatever it is told."""
    return redirect_stderr(io.StringIO()) if source.kind == "gguf" else nullcontext()


def _reader(source: ModelSource, path: Path) -> tuple[Path, dict[str, Any]]:
    """The folder transformers is to read, and the arguments that say which file in it."""
    return (path.parent, {"gguf_file": path.name}) if source.kind == "gguf" else (path, {})


def _require_all_tensors(source: ModelSource, report: dict[str, Any]) -> None:
    lacking = sorted(str(name) for name in report.get("missing_keys", ()))
    if lacking:
        raise ModelCorrupt(
            f"{shown(source.id)} lacks {len(lacking)} of its tensors, {shown(lacking[0])} first: fetch it again."
        )
    for name, stored, described in report.get("mismatched_keys", ()):
        raise ModelCorrupt(
            f"The tensor {shown(name)} of {shown(source.id)} has the shape {tuple(stored)} and its config describes "
            f"{tuple(described)}: fetch the model again."
        )


def load_tokenizer(located: LocatedModel) -> PreTrainedTokenizerBase:
    """The tokenizer alone: no weights and none of transformers' models. Raises ModelCorrupt."""
    return read_tokenizer(located.source, located.folder)


def read_tokenizer(source: ModelSource, place: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in ``source``'s folder (or .gguf file) ``place``. Raises ModelCorrupt."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    from playground.models.template_check import require_ending_template

    name = source.id
    with foreign_errors(
        lambda error: ModelCorrupt(
            f"The tokenizer of {shown(name)} cannot be read ({reason_text(error)}): fetch it again."
        )
    ):
        if source.kind == "bundled":  # ours to know that nothing needs guessing
            return PreTrainedTokenizerFast.from_pretrained(place, local_files_only=True)
        folder, extra = _reader(source, place)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **extra)
        require_ending_template(tokenizer, name)
        return tokenizer


def _describe(
    located: LocatedModel, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, decoding: Decoding
) -> LoadedModelInfo:
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
    stated = int(getattr(tokenizer, "model_max_length", 0) or 0)
    return stated if 0 < stated < 10**7 else 2048


def eos_token_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """Every id that ends a text, from the generation config, the config and the tokenizer, in that order."""
    found: list[int] = []
    holders = (getattr(model, "generation_config", None), model.config.get_text_config(), tokenizer)
    for value in (getattr(holder, "eos_token_id", None) for holder in holders):
        for id in value if isinstance(value, Iterable) else (value,):
            if id is not None and int(id) not in found:
                found.append(int(id))
    return tuple(found)


RECURRENT_KINDS = frozenset({"linear_attention", "mamba", "conv", "moe"})
"""What configs call layers without attention."""


def has_attention(model: PreTrainedModel) -> bool:
    """Whether some of the layers have attention: heads are stated, and not every layer is a recurrent one."""
    config = model.config.get_text_config(decoder=True)
    kinds = getattr(config, "layer_types", None) or ()
    recurrent = bool(kinds) and RECURRENT_KINDS.issuperset(kinds)
    return setting(config, "num_attention_heads") > 0 and not recurrent
