"""Models of the Hugging Face hub: find them in the local cache, or fetch what is safe and fits.

Only safetensors, configs and tokenizer files are ever fetched. Offline (HF_HUB_OFFLINE, or no network) only the cache
is asked, and the answer comes at once.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playground.errors import ModelCorrupt, ModelError, ModelNotFound, PlaygroundError
from playground.json_reading import read_json
from playground.models.safety import check_code, check_folder
from playground.models.wording import Progress, reason_text, shown, silent

WANTED_FILES = ("*.safetensors", "*.safetensors.index.json", "*.json", "tokenizer.model", "*.txt", "*.jinja")
UNWANTED_FILES = ("*/*", "consolidated*")  # exports for other programs, and the same weights in another layout
_TIMEOUT_SECONDS = 10.0
_YES = ("1", "ON", "YES", "TRUE")

Admit = Callable[[dict[str, Any], int | None], None]
"""Given a config and, where the hub counted them, the parameters; raises to refuse the model."""

Check = Callable[[Path], None]
"""Raises ModelCorrupt or ModelRefused for a folder that cannot be used."""


def cached_snapshot(hub_id: str, revision: str | None = None) -> Path | None:
    """The folder of ``hub_id`` in the local cache, or None. Asks no network and checks only that a config is there."""
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(hub_id, "config.json", revision=revision)
    return Path(path).parent if isinstance(path, str) else None


def cached_models() -> dict[str, Path]:
    """Hub ids of the models in the local cache and the folder of each one's main revision. An odd cache is empty."""
    from huggingface_hub import constants, scan_cache_dir

    try:
        repositories = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except Exception:  # no cache yet, or one that somebody else's program left half-written
        return {}
    ids = (str(repository.repo_id) for repository in repositories if repository.repo_type == "model")
    folders = {hub_id: cached_snapshot(hub_id) for hub_id in ids}
    return {hub_id: folder for hub_id, folder in folders.items() if folder is not None}


def ensure_snapshot(
    hub_id: str,
    revision: str | None = None,
    progress: Progress = silent,
    admit: Admit = lambda config, parameters: None,
    check: Check = check_folder,
) -> tuple[Path, str]:
    """The local folder of a hub model and its commit, fetched first where it is not cached whole.

    ``admit(config, parameters)`` may raise before the weights are fetched; ``check(folder)`` raises where a cached copy
    is not whole (ModelCorrupt) or not wanted; a language model is wanted unless another check is given. Raises
    ModelNotFound where the model is neither cached nor in reach, ModelRefused for pickles and custom code, again before
    anything big is fetched.
    """
    folder = cached_snapshot(hub_id, revision)
    if folder is not None and is_whole(folder, check):
        return folder, folder.name[:16]
    if is_offline():
        cached = "only partly in" if folder is not None else "not in"
        raise ModelNotFound(
            f"{shown(hub_id)} is {cached} the local cache and the hub is switched off (HF_HUB_OFFLINE): "
            "choose a cached model, or go online and try again."
        )
    progress(f"Fetching {hub_id} from the hub", 0.0)
    folder = _fetch(hub_id, revision, admit)
    return folder, folder.name[:16]


def is_whole(folder: Path, check: Check = check_folder) -> bool:
    """Whether nothing is missing from a cached model. Raises ModelRefused where it would be refused anyway."""
    try:
        check(folder)
    except ModelCorrupt:
        return False
    return True


def is_offline() -> bool:
    """Whether the environment forbids the hub."""
    return any(os.environ.get(name, "").upper() in _YES for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


def _fetch(hub_id: str, revision: str | None, admit: Admit) -> Path:
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        facts = HfApi().model_info(hub_id, revision=revision, timeout=_TIMEOUT_SECONDS)
        files = [sibling.rfilename for sibling in facts.siblings or []]
        if "config.json" not in files:
            raise ModelCorrupt(f"{shown(hub_id)} has no config.json, so it is no transformers model: choose another.")
        config = read_json(Path(hf_hub_download(hub_id, "config.json", revision=facts.sha)).read_text(encoding="utf-8"))
        check_code(hub_id, config, files)
        admit(config, facts.safetensors.total if facts.safetensors else None)
        return Path(
            snapshot_download(
                hub_id, revision=facts.sha, allow_patterns=list(WANTED_FILES), ignore_patterns=list(UNWANTED_FILES)
            )
        )
    except PlaygroundError:
        raise
    except GatedRepoError as error:
        raise ModelNotFound(
            f"{shown(hub_id)} asks you to accept its terms first: do so on its hub page, log in with `hf auth login`, "
            "and try again."
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise ModelNotFound(f"The hub has no model {shown(hub_id)}: check its spelling and revision.") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise ModelError(
                f"{shown(hub_id)} cannot be stored ({error.strerror}): free some space, or point HF_HOME elsewhere."
            ) from error
        raise _out_of_reach(hub_id, error) from error
    except Exception as error:  # every network library below has its own family of errors
        raise _out_of_reach(hub_id, error) from error


def _out_of_reach(hub_id: str, error: Exception) -> ModelNotFound:
    return ModelNotFound(
        f"{shown(hub_id)} is not in the local cache and the hub is out of reach ({reason_text(error)}): "
        "choose a cached model, or try again online."
    )
