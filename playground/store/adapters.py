"""Where adapters are kept: a folder each under the data folder, as PEFT writes them, with a label beside.

Knows names and files; what is in them is the business of who reads them.
"""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
from pathlib import Path

from playground.errors import PlaygroundError
from playground.store.place import DATA_VARIABLE, data_folder

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
LABEL = "playground.json"
_ID = re.compile(r"[0-9a-f]{12}")


def adapters_folder() -> Path:
    return data_folder() / "adapters"


def new_adapter(owner: str, name: str) -> Path:
    """An empty folder of its own, whose name is the adapter's id. Listed once its config and weights are there.

    Raises PlaygroundError where nothing can be written.
    """
    folder = adapters_folder() / uuid.uuid4().hex[:12]
    try:
        folder.mkdir(parents=True)
        label = {"name": " ".join(name.split())[:80], "owner": owner, "created": time.time()}
        (folder / LABEL).write_text(json.dumps(label), encoding="utf-8")
    except OSError as error:
        raise cannot_be_kept(error) from error
    return folder


def merged_folder() -> Path:
    """Where a merged model may be written: a folder that is not there yet."""
    return data_folder() / "merged" / uuid.uuid4().hex[:12]


def cannot_be_kept(error: OSError) -> PlaygroundError:
    """What a full or a locked disk means for a person."""
    return PlaygroundError(
        f"The adapter cannot be kept in {adapters_folder()} ({error.strerror or error}): free some space, or set {DATA_VARIABLE} "
        "to another folder."
    )


def kept_folder(id: str) -> Path | None:
    """The folder of a kept adapter; None for what is no id, or gone."""
    folder = adapters_folder() / id
    return folder.resolve() if _ID.fullmatch(id) and (folder / CONFIG).is_file() else None


def kept_adapters(owner: str) -> tuple[Path, ...]:
    """The folders of what ``owner`` has kept, the newest first."""
    dated_folders = []
    for label in adapters_folder().glob(f"*/{LABEL}"):
        folder = label.parent
        if not _ID.fullmatch(folder.name) or not all((folder / name).is_file() for name in (CONFIG, WEIGHTS)):
            continue
        read = _label(label)
        if read.get("owner") == owner:
            created = read.get("created")
            dated_folders.append((float(created) if isinstance(created, int | float) else 0.0, folder))
    return tuple(folder.resolve() for _created, folder in sorted(dated_folders, reverse=True))


def owner_of(id: str) -> str | None:
    """Whose a kept adapter is; None for what is none."""
    folder = kept_folder(id)
    owner = _label(folder / LABEL).get("owner") if folder is not None else None
    return owner if isinstance(owner, str) else None


def delete_adapter(owner: str, id: str) -> bool:
    """Remove one of ``owner``'s; says whether it was there."""
    folder = kept_folder(id)
    if folder is None or owner_of(id) != owner:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _label(path: Path) -> dict[str, object]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
