"""How much memory a model will take, found before any weight is read."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import ModelCorrupt
from playground.json_reading import read_json
from playground.models.gguf_file import GgufFile
from playground.models.placement import DTYPE_BYTES
from playground.models.wording import shown

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"

_CACHE_TOKENS = 4096
_LOGITS_POSITIONS = 512
_MAX_HEADER_BYTES = 100_000_000  # the safetensors format's own limit

MOST_LAYERS = 2_000  # the deepest models have some hundreds; each takes milliseconds to build
MOST_PARTS = 100_000  # layers times experts; the largest models have some 25,000
_LAYERS, _EXPERTS = re.compile(r"(?:^|_)(?:layers?|blocks|depth)$"), re.compile(r"(?:^|_)experts$")


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes while the model is in use. ``working_bytes`` is one row's key-value cache and a prefill's logits."""

    parameters: int
    weights_bytes: int
    cache_bytes: int
    logits_bytes: int

    @property
    def working_bytes(self) -> int:
        return self.cache_bytes + self.logits_bytes

    @property
    def total_bytes(self) -> int:
        return self.weights_bytes + self.working_bytes

    def in_dtype(self, dtype: str) -> MemoryNeed:
        """The same model's need in another number format. Logits stay float32."""
        width, cached_numbers = DTYPE_BYTES[dtype], self.cache_bytes * self.parameters // max(1, self.weights_bytes)
        return replace(self, weights_bytes=self.parameters * width, cache_bytes=cached_numbers * width)


def estimate_folder(folder: Path, dtype: str) -> MemoryNeed:
    """The need of a model saved in ``folder``, from its safetensors headers. Raises ModelCorrupt where one is broken."""
    config = config_dict(folder)
    parameters = sum(tensor_elements(read_header(file)) for file in weight_files(folder))
    return _need(parameters, config, dtype)


def estimate_config(config: dict[str, Any], dtype: str, parameters: int | None = None) -> MemoryNeed:
    """The need of a model of which only the config is known.

    Where nobody counted its ``parameters``, it is built on torch's meta device, which holds no data.
    """
    if parameters is not None:
        return _need(parameters, config, dtype)
    return _need(sum(weight.numel() for weight in empty_model(config).parameters()), config, dtype)


def require_buildable(name: str, config: dict[str, Any]) -> None:
    """Raise ModelCorrupt where a config asks for more layers and experts, built one by one, than any model has.

    Built without data they take time and memory all the same: a billion layers, all of it.
    """
    parts = [config, *(part for part in config.values() if isinstance(part, dict))]
    counts = [(key, value) for part in parts for key, value in part.items() if isinstance(value, int)]
    layers = max((value for key, value in counts if _LAYERS.search(key)), default=1)
    experts = max((value for key, value in counts if _EXPERTS.search(key)), default=1)
    if layers > MOST_LAYERS or max(layers, 1) * max(experts, 1) > MOST_PARTS:
        raise ModelCorrupt(
            f"The config of {shown(name)} asks for {layers:,} layers with {experts:,} experts each, which no model has: "
            "fetch the model again."
        )


def empty_model(config: dict[str, Any]) -> PreTrainedModel:
    """The model ``config`` describes, on torch's meta device; raises whatever its architecture does."""
    from transformers import AutoConfig

    return empty_model_of(AutoConfig.for_model(**config))


def empty_model_of(settings: PreTrainedConfig) -> PreTrainedModel:
    """The same of transformers' config object."""
    from accelerate import init_empty_weights
    from transformers import AutoModelForCausalLM
    from transformers.initialization import no_init_weights

    # include_buffers: each tensor is on the meta device from the start, and not asked of the system's memory first
    with init_empty_weights(include_buffers=True), no_init_weights():
        model = AutoModelForCausalLM.from_config(settings, trust_remote_code=False)
    model.tie_weights()  # else an output head shared with the embedding counts twice
    return model


def estimate_gguf(path: Path, dtype: str) -> MemoryNeed:
    """The need of a .gguf file once unpacked to ``dtype``, from its header. Raises ModelCorrupt for anything else."""
    file = GgufFile(path)
    names = {
        "num_hidden_layers": "block_count",
        "num_attention_heads": "attention.head_count",
        "num_key_value_heads": "attention.head_count_kv",
        "hidden_size": "embedding_length",
        "max_position_embeddings": "context_length",
        "vocab_size": "vocab_size",
    }
    architecture = file.values.get("general.architecture")
    config = {ours: file.values.get(f"{architecture}.{theirs}") for ours, theirs in names.items()}
    return _need(file.parameters, config, dtype)


def config_dict(folder: Path) -> dict[str, Any]:
    """A folder's config.json. Raises ModelCorrupt where it is missing or no JSON object."""
    path = folder / "config.json"
    if not path.is_file():  # nor a pipe, which would be waited for
        raise ModelCorrupt(f"{shown(folder.name)} has no config.json: give the folder a model was saved in.")
    try:
        config = read_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ModelCorrupt(f"The config.json in {shown(folder.name)} cannot be read: fetch the model again.") from None
    if not isinstance(config, dict):
        raise ModelCorrupt(f"The config.json in {shown(folder.name)} holds no settings: fetch the model again.")
    return config


def optional_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file that need not be there, and {} for anything else."""
    if not path.is_file():
        return {}
    try:
        content = read_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def weight_files(folder: Path) -> list[Path]:
    """The files transformers will read: model.safetensors, or the shards its index names. Others do not count.

    Raises ModelCorrupt when there are none, one is missing, or the index cannot be read.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        raise ModelCorrupt(f"{shown(folder.name)} has no weights ({WEIGHTS}): fetch the model again.")
    places = optional_json(folder / INDEX).get("weight_map")
    names = sorted({str(place) for place in places.values()}) if isinstance(places, dict) else []
    if not names or any(Path(name).name != name for name in names):
        raise ModelCorrupt(f"The list of weight files in {shown(folder.name)} cannot be read: fetch it again.")
    missing = [name for name in names if not _is_file(folder / name)]
    if missing:
        raise ModelCorrupt(
            f"{shown(folder.name)} lacks {len(missing)} of its {len(names)} weight files, {shown(missing[0])} first: "
            "fetch the model again."
        )
    return [folder / name for name in names]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long for the file system, or with a zero byte
        return False


def read_header(file: Path) -> dict[str, Any]:
    """The table of contents of a safetensors file. Raises ModelCorrupt when it or the data after it is cut off.

    The format: 8 bytes with the header's length n, n bytes of JSON, then the tensors at the offsets the JSON gives.
    """
    broken = ModelCorrupt(f"{shown(file.name)} is half-written or no safetensors file: fetch the model again.")
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            if length > min(size - 8, _MAX_HEADER_BYTES):
                raise broken
            header = read_json(opened.read(length))
        tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
        if not all(_is_whole(entry) for entry in tensors.values()):
            raise broken
        end = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
        if 8 + length + end != size:
            raise broken
        return tensors
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error):
        raise broken from None


def _is_whole(entry: dict[str, Any]) -> bool:
    """Whether an entry's shape and place are numbers that can be: nothing is computed from others."""
    begin, end = entry["data_offsets"]
    numbers = [begin, end, *entry["shape"]]
    if not all(type(number) is int and 0 <= number < 2**63 for number in numbers):
        return False
    return bool(math.prod(entry["shape"]) <= 8 * max(end - begin, 0))  # the smallest format has a bit a number


def tensor_elements(header: dict[str, Any]) -> int:
    """Numbers stored in all the tensors of a header."""
    return sum(math.prod(entry["shape"]) for entry in header.values())


def _need(parameters: int, config: dict[str, Any], dtype: str) -> MemoryNeed:
    width = DTYPE_BYTES[dtype]
    inner = config.get("text_config")
    facts = {**config, **inner} if isinstance(inner, dict) else config

    def count(*names: str) -> int:
        values = (facts.get(name) for name in names)
        return next((int(value) for value in values if isinstance(value, int)), 0)

    layers, hidden = count("num_hidden_layers", "n_layer"), count("hidden_size", "n_embd")
    heads = count("num_attention_heads", "n_head")
    head_dim = count("head_dim") or (hidden // heads if heads else 0)
    cached = min(count("max_position_embeddings", "n_positions") or _CACHE_TOKENS, _CACHE_TOKENS)
    # keys and values of every layer: 2 * layers * kv_heads * head_dim numbers a token
    cache_bytes = 2 * layers * (count("num_key_value_heads") or heads) * head_dim * cached * width
    logits_bytes = _LOGITS_POSITIONS * count("vocab_size") * 4
    return MemoryNeed(parameters, parameters * width, cache_bytes, logits_bytes)
