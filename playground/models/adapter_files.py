"""Adapters in and out as files: a zip of a PEFT folder, taken apart without trusting it."""

from __future__ import annotations

import io
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from playground.errors import BadInput
from playground.models.adapters import MOST_CONFIG_BYTES, Adapter, read_adapter
from playground.models.safety import PICKLE_SUFFIXES
from playground.models.wording import shown
from playground.store.adapters import CONFIG, WEIGHTS, cannot_be_kept, kept_adapters, new_adapter

MOST_BYTES = 512 * 1024 * 1024  # of an adapter's weights: rank 64 on all layers of a model of 7 billion has 320 MB
_MOST_FILES = 200
_CHUNK = 1024 * 1024


def list_adapters(owner: str) -> tuple[Adapter, ...]:
    """What ``owner`` has kept here, the newest first. Broken ones are left out: they cannot be loaded."""
    adapters = []
    for folder in kept_adapters(owner):
        try:
            adapters.append(read_adapter(folder))
        except Exception:  # a folder may vanish, or be half-written, while it is read
            continue
    return tuple(adapters)


def adapter_zip(folder: Path) -> bytes:
    """The folder's config and weights as a zip that PEFT reads once it is unpacked, and ``install_adapter`` as it is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as file:  # weights do not get smaller
        for name in (CONFIG, WEIGHTS):
            file.write(folder / name, f"adapter/{name}")
    return packed.getvalue()


def install_adapter(owner: str, data: bytes, file_name: str) -> Adapter:
    """Keep an uploaded zip's adapter. Only the config and the weights are taken out of it, to names of ours.

    Raises BadInput for what is no such zip, and as ``read_adapter``; nothing stays then.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            members = _wanted(file, file_name)
            folder = new_adapter(owner, PurePosixPath(file_name).stem or "adapter")
            try:
                for name, member in members.items():
                    _unpack(file, member, folder / name, MOST_CONFIG_BYTES if name == CONFIG else MOST_BYTES)
                return read_adapter(folder.resolve())
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BadInput(
            f"{shown(file_name)} is no zip that can be read ({type(error).__name__}): zip the folder PEFT saved.",
            "adapter",
        ) from error
    except OSError as error:
        raise cannot_be_kept(error) from error


def _wanted(file: zipfile.ZipFile, file_name: str) -> dict[str, zipfile.ZipInfo]:
    members = file.infolist()
    if len(members) > _MOST_FILES:
        raise BadInput(f"{shown(file_name)} holds {len(members):,} files: zip the one folder PEFT saved.", "adapter")
    by_name: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if (
            path.is_absolute()
            or ".." in path.parts
            or ":" in member.filename
            or stat.S_ISLNK(member.external_attr >> 16)
        ):
            raise BadInput(
                f"{shown(file_name)} has a file that would lie elsewhere ({shown(member.filename)}): zip the folder anew.",
                "adapter",
            )
        if path.suffix == ".py":
            raise BadInput(f"{shown(file_name)} holds Python code, which is never run: leave it out.", "adapter")
        if path.name in (CONFIG, WEIGHTS):
            if path.name in by_name:
                raise BadInput(f"{shown(file_name)} holds more than one adapter: zip one folder.", "adapter")
            by_name[path.name] = member
    if CONFIG in by_name and WEIGHTS not in by_name and any(one.filename.endswith(PICKLE_SUFFIXES) for one in members):
        raise BadInput(
            f"{shown(file_name)} has only pickled weights, which could run any code: save the adapter as {WEIGHTS}.",
            "adapter",
        )
    for name in (CONFIG, WEIGHTS):
        if name not in by_name:
            raise BadInput(f"{shown(file_name)} has no {name}: zip the folder PEFT saved.", "adapter")
    return by_name


def _unpack(file: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, most: int) -> None:
    """At most so many bytes, whatever the zip says of its sizes."""
    left = most
    with file.open(member) as packed, target.open("wb") as plain:
        while chunk := packed.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise BadInput(
                    f"{shown(member.filename)} unpacks to more than {most:,} bytes, the most that is taken: use a smaller rank.",
                    "adapter",
                )
            plain.write(chunk)
