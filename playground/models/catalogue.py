"""What can be asked for by name, and what a name, hub id, folder or file means.

Reads no weights and no network: ``resolve`` decides what kind of thing was named, ``loading`` finds out whether it
works.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from playground.errors import BadInput, ModelNotFound
from playground.models.adapter_names import AdapterName, split_adapter
from playground.models.address import is_address, parse_address
from playground.models.wording import shown

DEFAULT_MODEL = "smollm2-135m-instruct"
MODEL_VARIABLE = "PLAYGROUND_MODEL"

SourceKind = Literal["bundled", "hub", "folder", "gguf", "server"]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model we suggest. ``parameters`` is a count; ``bundled`` means an installed package carries the weights."""

    title: str
    hub_id: str
    parameters: int
    license: str
    note: str
    bundled: bool = False


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model comes from. ``id`` is what the user typed; ``path`` is set for a folder and for a .gguf file.

    ``hub_id`` and ``revision`` are set for a hub model, and ``hub_id`` for a bundled one too: its stand-in on the hub.
    A served model's ``id`` is its normalised address. ``adapter``: what is on it; all else is said of the base.
    """

    kind: SourceKind
    id: str
    path: Path | None = None
    hub_id: str | None = None
    revision: str | None = None
    adapter: AdapterName | None = None


CATALOGUE: dict[str, CatalogueEntry] = {
    DEFAULT_MODEL: CatalogueEntry(
        "SmolLM2 135M Instruct",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        134_515_008,
        "apache-2.0",
        "Comes with the playground (4-bit weights, unpacked exactly); quick on any processor.",
        bundled=True,
    ),
    "smollm2-360m-instruct": CatalogueEntry(
        "SmolLM2 360M Instruct",
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        361_821_120,
        "apache-2.0",
        "The default model's bigger sister: same tokens, better answers.",
    ),
    "qwen2.5-0.5b-instruct": CatalogueEntry(
        "Qwen2.5 0.5B Instruct",
        "Qwen/Qwen2.5-0.5B-Instruct",
        494_032_768,
        "apache-2.0",
        "Good at arithmetic for its size, and many languages.",
    ),
    "gemma-3-270m-it": CatalogueEntry(
        "Gemma 3 270M Instruct",
        "google/gemma-3-270m-it",
        268_098_176,
        "gemma",
        "A quarter of a million token vocabulary; the hub asks you to accept Google's terms first.",
    ),
    "gpt2": CatalogueEntry(
        "GPT-2 small",
        "openai-community/gpt2",
        124_439_808,
        "mit",
        "The classic base model of 2019: no chat, attention heads much written about.",
    ),
    "pythia-70m": CatalogueEntry(
        "Pythia 70M deduped",
        "EleutherAI/pythia-70m-deduped",
        70_426_624,
        "apache-2.0",
        "Tiny base model made for research; shows what little scale gives.",
    ),
}

_MAX_SPEC_CHARACTERS = 4096  # the longest path Linux takes
_HUB_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_HUB_ID = re.compile(rf"(?P<id>{_HUB_NAME}/{_HUB_NAME})(?:@(?P<revision>[A-Za-z0-9][A-Za-z0-9._/-]{{0,127}}))?")
_HUB_PAGE = re.compile(r"\s*https?://(?:www\.)?(?:huggingface\.co|hf\.co)(?:/|$)", re.I)
_NEXT_STEP = (
    "give a catalogue name, a hub id such as org/name, a folder that holds config.json and the weights, a .gguf file, or "
    "a server's address"
)


def resolve(spec: str | None = None) -> ModelSource:
    """What ``spec`` names: a catalogue name, ``org/name``, ``org/name@revision``, a folder, a .gguf file or an address;
    with ``+adapter`` after it an adapter on that.

    None means the environment's PLAYGROUND_MODEL, and the bundled model where that is unset.
    Raises BadInput for text that can be no model, ModelNotFound for a name or path that leads nowhere.
    """
    if spec is None:
        spec = os.environ.get(MODEL_VARIABLE, "").strip() or DEFAULT_MODEL
    spec = _checked(spec)
    if (adapted := split_adapter(spec)) is not None:
        return _on_base(adapted)
    if is_address(spec):
        return ModelSource("server", parse_address(spec).text)
    if (entry := CATALOGUE.get(spec.lower())) is not None:
        return ModelSource("bundled" if entry.bundled else "hub", spec.lower(), hub_id=entry.hub_id)
    if (local := _local_source(spec)) is not None:
        return local
    hub = _HUB_ID.fullmatch(spec)
    if hub is not None and ".." not in spec and "--" not in spec:
        return ModelSource("hub", spec, hub_id=hub["id"], revision=hub["revision"])
    if re.fullmatch(_HUB_NAME, spec):
        names = ", ".join(CATALOGUE)
        raise ModelNotFound(f"There is no model called {shown(spec)}: {_NEXT_STEP} (the catalogue has {names}).")
    raise BadInput(f"{shown(spec)} cannot name a model: {_NEXT_STEP}.", field="model")


def _on_base(name: AdapterName) -> ModelSource:
    base = resolve(name.base or None)
    if base.kind == "server":
        raise BadInput(
            f"An adapter needs the weights in this process, and {shown(base.id)} is a server's model: choose a model that runs "
            "here, or let the server load the adapter.",
            field="model",
        )
    return replace(base, adapter=name)


def _checked(spec: object) -> str:
    """``spec`` stripped, once it can be looked at safely."""
    if not isinstance(spec, str):
        raise BadInput(f"A model is named by text, not by {type(spec).__name__}: {_NEXT_STEP}.", field="model")
    if len(spec) > _MAX_SPEC_CHARACTERS:
        raise BadInput(f"The model's name is {len(spec):,} characters long: {_NEXT_STEP}.", field="model")
    if not spec.strip():
        raise BadInput(f"The model's name is empty: {_NEXT_STEP}.", field="model")
    if not spec.strip().isprintable():
        raise BadInput(f"The model's name has unprintable characters in it: {_NEXT_STEP}.", field="model")
    if _HUB_PAGE.match(spec) or ("://" in spec and not is_address(spec.strip())):
        raise BadInput(f"{shown(spec)} is a web address; of a hub page give only the org/name part.", field="model")
    return spec.strip()


def _local_source(spec: str) -> ModelSource | None:
    """The folder or file ``spec`` means, or None where it does not look like a path and no model is there.

    Every path that leads to no model has the same answer, whatever is there: a link's stranger learns nothing about files.
    """
    try:
        path = Path(spec).expanduser()
        if (path / "config.json").exists():
            return ModelSource("folder", spec, path=path.resolve())
        if path.suffix.lower() == ".gguf" and path.is_file():
            return ModelSource("gguf", spec, path=path.resolve())
    except (OSError, ValueError, RuntimeError):
        pass  # a name too long, no such home directory, no permission
    if spec.startswith(("/", "./", "../", "~", ".")) or "\\" in spec or spec.lower().endswith(".gguf"):
        raise ModelNotFound(f"There is no model at {shown(spec)}: {_NEXT_STEP}.")
    return None
