"""LoRA adapters as PEFT saves them: what is in a folder, whether it may be used, and on which base.

Reads a config and the header of a safetensors file; no weights, no code, no pickle. A folder holds
``adapter_config.json`` and ``adapter_model.safetensors`` (Hu et al., 2106.09685: W x + scale * B (A x)).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import BadInput, ModelCorrupt, ModelNotFound, ModelRefused, PlaygroundError
from playground.json_reading import read_json
from playground.models.adapter_names import AdapterName, split_adapter
from playground.models.catalogue import CATALOGUE, ModelSource
from playground.models.estimate import read_header
from playground.models.safety import PICKLE_SUFFIXES
from playground.models.wording import shown
from playground.store.adapters import CONFIG, LABEL, WEIGHTS, kept_folder

MOST_RANK = 4096
MOST_CONFIG_BYTES = 1_000_000
_TENSOR = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")
_FLOATS = {"F32", "F16", "BF16", "F64"}
_UNSUPPORTED = {  # settings that change what an adapter computes, and in words what they are
    "use_dora": "weight-decomposed updates (DoRA)",
    "use_qalora": "quantised groups (QALoRA)",
    "use_bdlora": "block-diagonal factors",
    "lora_bias": "biases of its own",
    "modules_to_save": "whole modules beside the low-rank ones",
    "trainable_token_indices": "trained rows of the embedding",
    "target_parameters": "parameters that belong to no linear layer",
    "layer_replication": "layers that are there more than once",
    "alora_invocation_tokens": "tokens that switch it on (aLoRA)",
    "arrow_config": "a router over several adapters",
    "kasa_config": "KaSA's own factors",
    "monteclora_config": "sampled factors",
    "velora_config": "VeLoRA's projection",
}


@dataclass(frozen=True, slots=True)
class LowRank:
    """One adapted layer: ``scale`` * B A is added to its weight, A (rank, inputs) and B (outputs, rank)."""

    module: str
    rank: int
    inputs: int
    outputs: int
    scale: float


@dataclass(frozen=True, slots=True)
class Adapter:
    """What a folder says of itself. ``id`` names it in a model's name; ``base`` is the model it says it was trained on."""

    id: str
    name: str
    folder: Path
    base: str
    rank: int
    alpha: float
    layers: tuple[LowRank, ...]
    bytes: int
    revision: str  # of these very weights

    @property
    def targets(self) -> tuple[str, ...]:
        """The kinds of layers it is on, such as q_proj."""
        return tuple(dict.fromkeys(layer.module.rpartition(".")[2] for layer in self.layers))

    @property
    def parameters(self) -> int:
        return sum(layer.rank * (layer.inputs + layer.outputs) for layer in self.layers)


def adapter_place(adapter: str) -> tuple[str, Path] | None:
    """An adapter's id, of one that was kept here, or its whole path, and its folder; None where there is none."""
    if (kept := kept_folder(adapter)) is not None:
        return adapter, kept
    try:
        path = Path(adapter).expanduser()
        folder = path.resolve() if (path / CONFIG).is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None
    return None if folder is None else (str(folder), folder)


def find_adapter(name: AdapterName) -> Adapter:
    """The adapter that is meant: one that was kept here by its id, or a folder. Raises ModelNotFound and as ``read_adapter``."""
    place = adapter_place(name.adapter)
    if place is None:
        raise ModelNotFound(
            f"There is no adapter {shown(name.adapter)}: choose one of those listed, or give a folder with {CONFIG} and "
            f"{WEIGHTS}."
        )
    return read_adapter(place[1])


def read_adapter(folder: Path) -> Adapter:
    """Raises ModelRefused for what is not run here, ModelCorrupt for files that are broken, BadInput for a rank of 0."""
    kept = kept_folder(folder.name)
    own = kept is not None and kept == folder
    label = _json(folder, LABEL) if own else {}
    name = str(label.get("name") or folder.name)[:80]
    config = _json(folder, CONFIG)
    _require_safe(name, folder, config)
    rank, alpha = config.get("r"), config.get("lora_alpha", 8)
    if type(rank) is not int or not 1 <= rank <= MOST_RANK:
        raise BadInput(
            f"The adapter {shown(name)} has rank {shown(rank)}: an adapter needs a rank of at least 1 (at most {MOST_RANK:,}); "
            "train it again with one.",
            "adapter",
        )
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not math.isfinite(alpha):
        raise ModelCorrupt(f"The config of the adapter {shown(name)} has no number for lora_alpha: save it again.")
    weights = folder / WEIGHTS
    layers = _layers(name, read_header(weights), config, rank, float(alpha))
    facts = weights.stat()
    base = config.get("base_model_name_or_path")
    return Adapter(
        id=folder.name if own else str(folder),
        name=name,
        folder=folder,
        base=base if isinstance(base, str) else "",
        rank=max(layer.rank for layer in layers),
        alpha=float(alpha),
        layers=layers,
        bytes=facts.st_size,
        revision=f"{folder}:{facts.st_size}:{facts.st_mtime_ns}",
    )


def _json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        if not path.is_file():  # nor a pipe, which would be waited for
            raise ModelNotFound(f"The adapter {shown(folder.name)} is gone or has no {name}: choose another one.")
        with path.open("rb") as file:
            text = file.read(MOST_CONFIG_BYTES + 1)
        content = read_json(text) if len(text) <= MOST_CONFIG_BYTES else None
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise ModelCorrupt(f"The {name} of the adapter {shown(folder.name)} cannot be read: save the adapter again.")
    return content


def _require_safe(name: str, folder: Path, config: dict[str, Any]) -> None:
    files = [path.name for path in folder.iterdir()]
    if config.get("auto_map") or any(file.endswith(".py") for file in files):
        raise ModelRefused(
            f"The adapter {shown(name)} comes with Python code, which the playground never runs: give the config and the "
            "weights alone."
        )
    kind = config.get("peft_type")
    if kind != "LORA":
        raise ModelRefused(f"The adapter {shown(name)} is of the kind {shown(kind)}: only LoRA adapters can be loaded.")
    task = config.get("task_type")
    if task not in (None, "CAUSAL_LM"):
        raise ModelRefused(
            f"The adapter {shown(name)} was trained for {shown(task)}, not to continue text (CAUSAL_LM): choose another one."
        )
    if config.get("bias", "none") != "none":
        raise ModelRefused(f"The adapter {shown(name)} trains biases too, which are not applied here: save it without.")
    for field, words in _UNSUPPORTED.items():
        if config.get(field):
            raise ModelRefused(
                f"The adapter {shown(name)} has {words} ({field}), which is not applied here: merge it where it was "
                "trained and load the merged model."
            )
    if not (folder / WEIGHTS).is_file():
        if any(file.endswith(PICKLE_SUFFIXES) for file in files):
            raise ModelRefused(
                f"The adapter {shown(name)} has only pickled weights, which could run any code when opened: save it as "
                f"{WEIGHTS}, or convert it where you trust it."
            )
        raise ModelCorrupt(f"The adapter {shown(name)} has no weights ({WEIGHTS}): save it again.")


def _layers(name: str, header: dict[str, Any], config: dict[str, Any], rank: int, alpha: float) -> tuple[LowRank, ...]:
    """The pairs of factors in a header; raises ModelCorrupt for anything else in it."""
    shapes: dict[str, dict[str, list[int]]] = {}
    for tensor, entry in header.items():
        match = _TENSOR.fullmatch(tensor)
        if match is None or entry.get("dtype") not in _FLOATS or len(entry["shape"]) != 2:
            raise ModelCorrupt(
                f"The adapter {shown(name)} holds {shown(tensor)}, which is no factor of a linear layer: only plain LoRA on "
                "linear layers can be loaded."
            )
        shapes.setdefault(match["module"], {})[match["side"]] = entry["shape"]
    layers = []
    for module, pair in shapes.items():
        if set(pair) != {"A", "B"} or pair["A"][0] != pair["B"][1] or not pair["A"][0]:
            raise ModelCorrupt(
                f"The factors of {shown(module)} in the adapter {shown(name)} do not match: save it again."
            )
        own_rank = pair["A"][0]
        own_alpha = _pattern(config.get("alpha_pattern"), module, alpha)
        divisor = math.sqrt(own_rank) if config.get("use_rslora") else own_rank
        layers.append(LowRank(module, own_rank, pair["A"][1], pair["B"][0], own_alpha / divisor))
    stated = {_pattern(config.get("rank_pattern"), layer.module, rank) for layer in layers}
    if not layers or stated != {layer.rank for layer in layers}:
        raise ModelCorrupt(
            f"The weights of the adapter {shown(name)} are not of the rank its config says ({rank}): save it again."
        )
    return tuple(layers)


def _pattern(patterns: object, module: str, usual: float) -> float:
    """PEFT's ``alpha_pattern`` and ``rank_pattern``: the first whose expression ends the module's name."""
    for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        plain = re.fullmatch(r"\^?(?:[\w.]|\\\.|\\d\+?)+", str(pattern))  # a stranger's expression may never end
        if plain and re.fullmatch(rf"(?:.*\.)?(?:{str(pattern).removeprefix('^')})", module):
            return float(value)
    return usual


def adapter_words(spec: str) -> str | None:
    """An adapter's name in words, such as "tone × 0.5 on gpt2"; None of a name without one. Plain text."""
    name = split_adapter(spec)
    if name is None:
        return None
    try:
        title = find_adapter(name).name
    except PlaygroundError:
        title = Path(name.adapter).name
    strength = "" if name.strength == 1 else f" × {name.strength:g}"
    return f"{title}{strength}{', merged,' if name.merged else ''} on {name.base or 'the model in use'}"


# -- which base --------------------------------------------------------------------------------------------------------


def require_base(adapter: Adapter, source: ModelSource) -> None:
    """Raise BadInput where the adapter names another base than ``source``. Of two names only what can be compared counts:
    a hub id with a hub id, a folder with a folder; everything else is left to the shapes.
    """
    stated = adapter.base.strip()
    if not stated:
        return
    entry = CATALOGUE.get(stated.lower())
    if entry is not None:
        stated = entry.hub_id
    folder = _model_folder(stated)
    if folder is not None:
        same = source.kind != "folder" or source.path is None or folder == source.path
    elif re.fullmatch(r"[\w.-]+/[\w.-]+", stated) and source.hub_id is not None:
        same = stated.lower() == source.hub_id.lower()
    else:
        same = True
    if not same:
        raise BadInput(
            f"The adapter {shown(adapter.name)} was trained on {shown(adapter.base)}, not on {shown(source.id)}: choose it "
            "with that base.",
            "adapter",
        )


def fits(adapter: Adapter, source: ModelSource) -> bool:
    """Whether it says so: its shapes are compared when it is loaded."""
    try:
        require_base(adapter, source)
    except BadInput:
        return False
    return True


def _model_folder(text: str) -> Path | None:
    try:
        path = Path(text).expanduser()
        return path.resolve() if (path / "config.json").is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None
