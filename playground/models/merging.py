"""A base and an adapter as one model folder: the same weights with the low-rank part added, which any program can load."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path

from playground.errors import ModelError
from playground.models.adapters import find_adapter, require_base
from playground.models.catalogue import resolve
from playground.models.loading import load
from playground.models.low_rank import merge, read_factors, share
from playground.models.naming import base_names
from playground.models.wording import shown
from playground.store.adapters import cannot_be_kept


def save_merged(spec: str, target: Path) -> Path:
    """``merging`` to its end."""
    steps = merging(spec, target)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            folder: Path = end.value
            return folder


def merging(spec: str, target: Path) -> Generator[None, None, Path]:
    """Write ``base+adapter*strength`` to the folder ``target`` as safetensors with config and tokenizer; returns it.

    Yields between its steps. The base is read anew, on the CPU; ``target`` must not be there. Raises as ``load`` and
    ``find_adapter``, and PlaygroundError where the folder cannot be written; nothing stays of it then.
    """
    name, names = resolve(spec).adapter, base_names(spec, None, None)
    if name is None or names is None:
        raise ModelError(f"{shown(spec)} has no adapter to merge: choose one first.")
    adapter = find_adapter(name)
    require_base(adapter, resolve(names[0]))
    factors = read_factors(adapter)
    yield
    loaded = load(names[0], device="cpu")
    yield
    merged = merge(share(loaded.model), adapter, factors, name.strength)
    yield
    try:
        target.mkdir(parents=True)
        merged.save_pretrained(target)
        yield
        loaded.tokenizer.save_pretrained(target)
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, OSError):
            raise cannot_be_kept(error) from error
        raise
    return target
