"""Load a model and its tokenizer, or say in one sentence why not.

Decoder-only language models from safetensors or GGUF, without running a line of the model's own code. Knows
transformers and accelerate; knows nothing of the engine that will drive the model.
"""

from __future__ import annotations

import gc
import io
import re
from contextlib import AbstractContextManager, nullcontext, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import BadInput, ModelCorrupt, ModelError, PlaygroundError
from playground.models.catalogue import ModelSource
from playground.models.describing import describe, has_attention
from playground.models.estimate import MemoryNeed, empty_model_of, optional_json
from playground.models.foreign import foreign_errors
from playground.models.gguf_file import GgufFile
from playground.models.hardware import Hardware
from playground.models.info import LoadedModelInfo
from playground.models.locating import ALMOST_ALL, LocatedModel, locate
from playground.models.placement import Placement
from playground.models.wording import Progress, reason_text, shown, silent, within

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

    from playground.models.decoding import Decoding

ATTENTION_IMPLEMENTATIONS = ("sdpa", "eager")
_LAYER_NUMBER = re.compile(r"\.\d+\.")


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
        choices = " or ".join(ATTENTION_IMPLEMENTATIONS)
        raise BadInput(
            f"The attention {shown(attn_implementation)} is unknown: choose {choices}.", field="attn_implementation"
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
    from playground.models.decoding import find_decoding, require_numbers

    try:
        if source.kind != "bundled":  # whose hash is checked
            require_numbers(model, source.id)
        decoding = find_decoding(model, source.id)
    except PlaygroundError:
        del model
        gc.collect()
        raise
    info = describe(located, model, tokenizer, decoding)
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
    if source.kind == "gguf":
        extra["config"] = _gguf_config(source, path)
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
        _require_all_read(source, model, report)
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


def _gguf_config(source: ModelSource, path: Path) -> PreTrainedConfig:
    from transformers import AutoConfig

    from playground.models.gguf_config import complete

    with foreign_errors(
        lambda error: ModelCorrupt(
            f"{shown(source.id)} cannot be loaded ({reason_text(error)}): fetch it again or choose another."
        )
    ):
        config: PreTrainedConfig = AutoConfig.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True)
        file = GgufFile(path)
        complete(config, file, source.id)
        described = sum(weight.numel() for weight in empty_model_of(config).parameters())
        if described * ALMOST_ALL > file.parameters:  # the rest would be allocated first, and found missing then
            raise ModelCorrupt(
                f"The header of {shown(source.id)} describes {described:,} parameters and the file holds "
                f"{file.parameters:,}: fetch it again."
            )
        return config


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


def _require_all_read(source: ModelSource, model: PreTrainedModel, report: dict[str, Any]) -> None:
    """Raise ModelCorrupt where weights of the model's own kind have no place in it: more layers than the config counts, or
    biases it does not have. Its numbers would be another model's. What belongs to other parts (a picture's encoder) may lie
    beside it.
    """
    kinds = {_LAYER_NUMBER.sub(".#.", name) for name, _ in model.named_parameters()}
    modules = {kind.rpartition(".")[0] for kind in kinds}
    for name in sorted(map(str, report.get("unexpected_keys", ()))):
        module, _, what = (kind := _LAYER_NUMBER.sub(".#.", name)).rpartition(".")
        without_layers = ".#." in kind and not any(".#." in own for own in kinds)
        if kind in kinds or (what == "bias" and module in modules) or without_layers:
            raise ModelCorrupt(
                f"{shown(source.id)} holds weights that its config has no place for, {shown(name)} first: its config.json "
                "is another model's; fetch it again."
            )


def load_tokenizer(located: LocatedModel) -> PreTrainedTokenizerBase:
    """The tokenizer alone: no weights and none of transformers' models. Raises ModelCorrupt, ModelRefused."""
    return read_tokenizer(located.source, located.folder)


def read_tokenizer(source: ModelSource, place: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in ``source``'s folder (or .gguf file) ``place``. Raises ModelCorrupt, ModelRefused."""
    from transformers import PreTrainedTokenizerFast
    from transformers.tokenization_utils_base import VERY_LARGE_INTEGER

    from playground.models.gguf_split import set_split
    from playground.models.template_check import require_ending_template
    from playground.models.tokenizer_growth import require_bounded_growth

    name = source.id
    with foreign_errors(
        lambda error: ModelCorrupt(
            f"The tokenizer of {shown(name)} cannot be read ({reason_text(error)}): fetch it again."
        )
    ):
        if source.kind == "bundled":  # ours to know that nothing needs guessing
            return PreTrainedTokenizerFast.from_pretrained(place, local_files_only=True)
        folder, extra = _reader(source, place)
        tokenizer = _tokenizer_class(place).from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, **extra
        )
        if not isinstance(tokenizer.model_max_length, int | float):
            tokenizer.model_max_length = VERY_LARGE_INTEGER  # as transformers has it where nothing is stated
        if source.kind == "gguf":
            set_split(tokenizer, GgufFile(place), name)
        require_bounded_growth(tokenizer, name)
        require_ending_template(tokenizer, name)
        return tokenizer


def _tokenizer_class(place: Path) -> Any:  # noqa: ANN401 - two classes of transformers, which is not typed
    """What reads the tokenizer in ``place``: the class that transformers chooses, except for Mistral's models.

    For those it asks mistral-common, which is here for its vocabularies alone and without what it needs to run. Without it
    transformers reads their tokenizer.json as any other.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

    kind = optional_json(place / "config.json").get("model_type")
    usual = TOKENIZER_MAPPING_NAMES.get(kind) if isinstance(kind, str) else None
    return PreTrainedTokenizerFast if usual == "MistralCommonBackend" else AutoTokenizer
