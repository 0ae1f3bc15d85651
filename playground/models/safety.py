"""Look at a model's files and refuse what would run foreign code, cannot be whole, or is no language model.

Reads configs and headers only. Nothing of a model is executed or unpickled, here or later.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playground.errors import ModelCorrupt, ModelRefused
from playground.models.estimate import INDEX, MOST_LAYERS, config_dict, optional_json, read_header, weight_files
from playground.models.gguf_config import OTHER_NAMES
from playground.models.gguf_file import GgufFile
from playground.models.gguf_split import require_split
from playground.models.wording import shown

PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
CUSTOM_CODE = ("modeling_*.py", "configuration_*.py", "tokenization_*.py")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")


def check_folder(folder: Path) -> None:
    """Raise ModelRefused or ModelCorrupt unless ``folder`` holds a whole decoder-only model in safetensors."""
    odd = next((path for path in folder.iterdir() if path.exists() and not (path.is_file() or path.is_dir())), None)
    if odd is not None:  # a pipe or a device: reading it may never end
        raise ModelCorrupt(f"{shown(odd.name)} in {shown(folder.name)} is no file: fetch the model again.")
    config = config_dict(folder)
    check_code(folder.name, config, [path.name for path in folder.iterdir()])
    check_code(folder.name, optional_json(folder / "tokenizer_config.json"), [])
    check_config(folder.name, config)
    for file in weight_files(folder):
        read_header(file)
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        if (folder / "tekken.json").is_file():
            raise ModelRefused(
                f"{shown(folder.name)} has its tokenizer in Mistral's own format (tekken.json) alone: choose a copy that "
                "has a tokenizer.json beside it."
            )
        raise ModelCorrupt(f"{shown(folder.name)} has no tokenizer (tokenizer.json): fetch the model again.")


def check_code(name: str, config: dict[str, Any], files: list[str]) -> None:
    """Raise ModelRefused when the config asks for the model's own code, or its code or only pickles lie there."""
    custom = [file for file in files for pattern in CUSTOM_CODE if Path(file).match(pattern)]
    if config.get("auto_map") or custom:
        raise ModelRefused(
            f"{shown(name)} runs its own Python code, which the playground never does: choose a model that "
            "transformers supports itself."
        )
    safe = any(file.endswith(".safetensors") or file == INDEX for file in files)
    if not safe and any(file.endswith(PICKLE_SUFFIXES) for file in files):
        raise ModelRefused(
            f"{shown(name)} has only pickled weights, which could run any code when opened: choose a model saved as "
            "safetensors, or convert it where you trust it."
        )


def check_config(name: str, config: dict[str, Any]) -> None:
    """Raise unless transformers knows the config's architecture as a decoder-only language model."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    )

    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING_NAMES:
        raise ModelCorrupt(
            f"{shown(name)} says it is a {shown(kind)} model, which this version of transformers does not know: "
            "choose another, or update transformers."
        )
    if kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES and kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise ModelRefused(
            f"{shown(name)} is a {kind} model, a language model with an encoder for pictures or sound beside it, and the "
            "playground loads language models alone: choose one that reads text only."
        )
    if config.get("is_encoder_decoder") or kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise ModelRefused(
            f"{shown(name)} is a {kind} model, which does not continue text token by token: "
            "choose a decoder-only language model."
        )
    stated = config.get("architectures") or []
    if isinstance(stated, list) and stated and not any(_continues_text(str(class_name)) for class_name in stated):
        raise ModelRefused(
            f"{shown(name)} was saved as {shown(stated[0])}, which does not continue text: "
            "choose a decoder-only language model."
        )


def _continues_text(class_name: str) -> bool:
    return class_name.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration"))


def check_gguf(path: Path) -> None:
    """Raise ModelRefused or ModelCorrupt unless ``path`` is a .gguf file of an architecture transformers can unpack."""
    from transformers.integrations import GGUF_CONFIG_MAPPING
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    file = GgufFile(path)
    architecture = file.values.get("general.architecture")
    model_type = OTHER_NAMES.get(str(architecture), str(architecture))
    if model_type not in GGUF_CONFIG_MAPPING or model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise ModelRefused(
            f"{shown(path.name)} holds a {shown(architecture)} model, which transformers cannot unpack as one that continues "
            "text: choose another."
        )
    parts = file.values.get("split.count", 1)
    if isinstance(parts, int) and parts > 1:
        raise ModelCorrupt(
            f"{shown(path.name)} is {_which_part(path, parts)}: join them with `llama-gguf-split --merge`."
        )
    if not any(tensor.name.endswith(".weight") for tensor in file.tensors):
        raise ModelCorrupt(f"{shown(path.name)} holds a vocabulary and no weights: fetch the whole model.")
    require_layers(file, path.name)
    require_split(file, path.name)


def require_layers(file: GgufFile, name: str) -> None:
    """Raise ModelCorrupt where a .gguf file's header counts more layers than any model has, or fewer than the file holds: the
    others would be left out, and the numbers another model's.
    """
    count = file.values.get(f"{file.values.get('general.architecture')}.block_count")
    held = [int(block[1]) for tensor in file.tensors if (block := re.match(r"blk\.(\d{1,9})\.", tensor.name))]
    if not isinstance(count, int) or not max(held, default=-1) < count <= MOST_LAYERS:
        raise ModelCorrupt(
            f"{shown(name)} says that it has {shown(count)} layers and holds {max(held, default=-1) + 1:,}: fetch it again."
        )


def _which_part(path: Path, parts: int) -> str:
    """Which of its parts a split file is, and where the others are or ought to be."""
    match = re.fullmatch(r"(.*)-(\d{5})-of-\d{5}\.gguf", path.name)
    if match is None:
        return f"one of {parts} parts of a model"
    names = [f"{match[1]}-{number:05}-of-{parts:05}.gguf" for number in range(1, min(parts, 100) + 1)]
    others = [name for name in names if name != path.name]
    listed = ", ".join(shown(name) for name in others[:3]) + (" and more" if len(others) > 3 else "")
    return f"part {int(match[2])} of {parts}, the others are {listed}"
