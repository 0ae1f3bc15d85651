"""Load a model and its tokenizer, or say in one sentence why not.

Decoder-only language models from safetensors or GGUF, without running a line of the model's own code. Knows
transformers and accelerate; knows nothing of the engine that will drive the model.
"""

from __future__ import annotations

import gc
import hashlib
import io
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import BadInput, ModelCorrupt, ModelError, ModelTooLarge, PlaygroundError
from playground.models.bundled import bundled_revision, ensure_bundled
from playground.models.catalogue import CATALOGUE, ModelSource, resolve
from playground.models.estimate import MemoryNeed, estimate_config, estimate_folder, estimate_gguf
from playground.models.hardware import Hardware, probe
from playground.models.hub import Admit, ensure_snapshot
from playground.models.info import ModelInfo
from playground.models.placement import Placement, choose
from playground.models.safety import check_config, check_folder, check_gguf
from playground.models.wording import Progress, reason_text, shown, silent, size_text, within

ATTENTION_IMPLEMENTATIONS = ("sdpa", "eager")


@dataclass(slots=True)
class LoadedModel:
    """A model ready to run: in eval mode, without gradients, on its device.

    ``attn_implementation`` is what was used ("sdpa" or "eager"); attention weights come out only under "eager".
    ``has_attention`` is false for models without attention in every layer (a Mamba); those have no plain key-value
    cache either. Not frozen, because ``unload`` must be able to let go of the weights.
    """

    model: Any
    tokenizer: Any
    info: ModelInfo
    source: ModelSource
    placement: Placement
    memory: MemoryNeed
    attn_implementation: str
    has_attention: bool


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
    report = progress or silent
    source = resolve(spec)
    if attn_implementation not in (None, *ATTENTION_IMPLEMENTATIONS):
        known = " or ".join(ATTENTION_IMPLEMENTATIONS)
        raise BadInput(
            f"The attention {shown(attn_implementation)} is unknown: choose {known}.", field="attn_implementation"
        )
    machine = hardware or probe()
    choose(machine, device=device, dtype=dtype)  # an impossible wish is refused before minutes are spent

    def admit(config: dict[str, Any], parameters: int | None) -> None:
        check_config(source.id, config)
        need = estimate_config(config, "float32", parameters)
        placement = choose(machine, device=device, dtype=dtype, parameters=need.parameters)
        require_memory(source.id, need.in_dtype(placement.dtype), placement, machine)

    folder, revision = _locate(source, admit, within(report, 0.0, 0.7))
    need, placement = _place(source, folder, machine, device, dtype)
    revision = revision or weights_fingerprint(folder)
    report("Loading the weights", 0.75)
    quiet_libraries()
    model = _load_weights(source, folder, placement, attn_implementation)
    report("Loading the tokenizer", 0.95)
    tokenizer = _load_tokenizer(source, folder)
    info = _describe(source, folder, model, tokenizer, placement, revision)
    report("The model is ready", 1.0)
    used = str(getattr(model.config, "_attn_implementation", None) or "eager")
    return LoadedModel(model, tokenizer, info, source, placement, need, used, _has_attention(model))


def unload(loaded: LoadedModel) -> None:
    """Let go of the weights and give the memory back. ``loaded`` is unusable afterwards; a second call does nothing."""
    loaded.model = None
    loaded.tokenizer = None
    gc.unfreeze()  # a model loaded before a gc.freeze() would never be looked at; whoever froze, freezes again
    gc.collect()
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


def _locate(source: ModelSource, admit: Admit, progress: Progress) -> tuple[Path, str | None]:
    """The folder (or .gguf file) that holds the model, fetched or unpacked if need be, and what names its weights."""
    if source.kind == "bundled":
        return ensure_bundled(progress), bundled_revision()
    if source.kind == "hub":
        return ensure_snapshot(str(source.hub_id), source.revision, progress, admit=admit)
    assert source.path is not None
    return source.path, None


def weights_fingerprint(path: Path) -> str:
    """A stable digest of a folder's or file's weights: names, sizes, times and headers, not the contents."""
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    digest = hashlib.sha256(str(path).encode())
    for file in [*files, *((path / "config.json",) if path.is_dir() else ())]:
        facts = file.stat()
        digest.update(f"{file.name}:{facts.st_size}:{facts.st_mtime_ns};".encode())
        with file.open("rb") as opened:
            digest.update(opened.read(65536))
    return digest.hexdigest()[:16]


def _place(
    source: ModelSource, folder: Path, hardware: Hardware, device: str | None, dtype: str | None
) -> tuple[MemoryNeed, Placement]:
    """Check what can be checked without reading weights, then choose; raises ModelTooLarge when it cannot fit."""
    if source.kind == "gguf":
        check_gguf(folder)
        need = estimate_gguf(folder, "float32")
    else:
        check_folder(folder)
        need = estimate_folder(folder, "float32")
    placement = choose(hardware, device=device, dtype=dtype, parameters=need.parameters)
    need = need.in_dtype(placement.dtype)
    require_memory(source.id, need, placement, hardware)
    return need, placement


def require_memory(name: str, need: MemoryNeed, placement: Placement, hardware: Hardware) -> None:
    """Raise ModelTooLarge, with both numbers, when ``need`` is more than ``placement`` has."""
    available = placement.memory_bytes(hardware)
    if need.total_bytes > available:
        raise ModelTooLarge(
            f"{shown(name)} needs about {size_text(need.total_bytes)} in {placement.dtype} and {placement.device} has "
            f"{size_text(available)} free: choose a smaller model, a smaller dtype, or close other programs.",
            need.total_bytes,
            available,
        )


def _load_weights(source: ModelSource, path: Path, placement: Placement, attn_implementation: str | None) -> Any:
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
    lacking = sorted(str(name) for name in (*report.get("missing_keys", ()), *report.get("mismatched_keys", ())))
    if lacking:
        raise ModelCorrupt(
            f"{shown(source.id)} lacks {len(lacking)} of its tensors, {shown(lacking[0])} first: fetch it again."
        )


def _load_tokenizer(source: ModelSource, path: Path) -> Any:
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        if source.kind == "bundled":  # ours to know that nothing needs guessing
            return PreTrainedTokenizerFast.from_pretrained(path, local_files_only=True)
        folder, extra = _reader(source, path)
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **extra)
    except Exception as error:  # as above
        raise ModelCorrupt(
            f"The tokenizer of {shown(source.id)} cannot be read ({reason_text(error)}): fetch it again."
        ) from error


def _describe(
    source: ModelSource, folder: Path, model: Any, tokenizer: Any, placement: Placement, revision: str
) -> ModelInfo:
    config = model.config.get_text_config()
    entry = CATALOGUE.get(source.id)
    heads = int(getattr(config, "num_attention_heads", 0) or 0)
    hidden = int(getattr(config, "hidden_size", 0) or 0)
    device = str(next(model.parameters()).device)
    head = model.get_output_embeddings()
    return ModelInfo(
        id=source.id,
        name=entry.title if entry else (source.hub_id or folder.stem).rsplit("/", 1)[-1],
        revision=f"{revision}:{placement.dtype}:{device.split(':')[0]}",
        architecture=type(model).__name__,
        parameters=sum(weight.numel() for weight in model.parameters()),
        weights_bytes=sum(weight.numel() * weight.element_size() for weight in model.parameters()),
        device=device,
        dtype=placement.dtype,
        vocab_size=int(head.weight.shape[0]) if head is not None else int(config.vocab_size),
        context_length=context_length(config, tokenizer),
        layers=int(getattr(config, "num_hidden_layers", 0) or 0),
        heads=heads,
        kv_heads=int(getattr(config, "num_key_value_heads", None) or heads),
        head_dim=int(getattr(config, "head_dim", None) or (hidden // heads if heads else 0)),
        hidden_size=hidden,
        has_chat_template=bool(getattr(tokenizer, "chat_template", None)),
        eos_token_ids=eos_token_ids(model, tokenizer),
        license=entry.license if entry else None,
    )


def context_length(config: Any, tokenizer: Any) -> int:
    """Positions the model was made for, in tokens; the tokenizer's word for it where the config has none."""
    for name in ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length"):
        if (value := getattr(config, name, None)) is not None:
            return int(value)
    stated = int(getattr(tokenizer, "model_max_length", 0) or 0)
    return stated if 0 < stated < 10**7 else 2048


def eos_token_ids(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Every id that ends a text, from the generation config, the config and the tokenizer, in that order."""
    found: list[int] = []
    holders = (getattr(model, "generation_config", None), model.config.get_text_config(), tokenizer)
    for value in (getattr(holder, "eos_token_id", None) for holder in holders):
        for id in value if isinstance(value, Iterable) else (value,):
            if id is not None and int(id) not in found:
                found.append(int(id))
    return tuple(found)


def _has_attention(model: Any) -> bool:
    config = model.config.get_text_config()
    return bool(getattr(config, "num_attention_heads", 0)) and not getattr(model, "_is_stateful", False)
