"""One name for one wish: a model, device or number format spelt out where the default would give the same is the default.

Two readers whose links differ in words only so share one model in memory. And the one-word form of a model to compare
with, ``name@bfloat16``. Loads nothing and asks no network.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace

from playground.errors import BadInput, PlaygroundError
from playground.models.adapter_names import AdapterName, split_adapter, without_adapter
from playground.models.adapters import adapter_place
from playground.models.address import is_address
from playground.models.catalogue import CATALOGUE, DEFAULT_MODEL, MODEL_VARIABLE, ModelSource, resolve
from playground.models.hardware import Hardware, probe
from playground.models.placement import DTYPE_ALIASES, DTYPE_BYTES, choose
from playground.models.wording import shown

_ANY_SIZE = (1, 10**15)  # parameters: of a model whose size is not known, what holds for the smallest and the largest

_DEVICE = re.compile(r"cpu|mps|cuda(?::\d{1,3})?")
_READINGS = {"chat": True, "raw": False}
_LONGEST = 300  # characters


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """A model to compare with. ``spec`` "": the one in use; ``+adapter``: that adapter on it. ``chat``: whether the
    prompt is read in its chat template, None: as the model in use reads it.
    """

    spec: str = ""
    device: str | None = None
    dtype: str | None = None
    chat: bool | None = None

    @property
    def text(self) -> str:
        """The form that ``read_compared`` reads."""
        reading = None if self.chat is None else "chat" if self.chat else "raw"
        return "@".join([self.spec, *filter(None, (self.device, self.dtype, reading))])

    def names(
        self, spec: str | None, device: str | None, dtype: str | None
    ) -> tuple[str | None, str | None, str | None]:
        """Model, device and dtype beside those in use. What is not said is as there, of another model the best here.

        Raises BadInput for a place or format of a model behind an address.
        """
        chosen: tuple[str | None, str | None, str | None]
        adapted = split_adapter(self.spec)
        if adapted is not None and not adapted.base:  # an adapter on the model in use
            base = replace(adapted, base=without_adapter(spec) or "").text
            chosen = (base, self.device or device, self.dtype or dtype)
        elif self.spec:
            chosen = (self.spec, self.device, self.dtype)
        else:
            chosen = (spec, self.device or device, self.dtype or dtype)
        if (self.device or self.dtype) and is_address(chosen[0] or ""):
            raise BadInput(f"{shown(self.text)}: a served model runs where and as its server put it.", "model")
        return chosen


def read_compared(text: str) -> ComparedModel:
    """``name``, ``name@bfloat16``, ``@chat``, ``name@cuda:1@float16@raw``: a model to compare with. Raises BadInput.

    >>> read_compared("@bf16")
    ComparedModel(spec='', device=None, dtype='bfloat16', chat=None)
    >>> read_compared("org/name@v2@chat").spec
    'org/name@v2'
    """
    spec, options = text.strip(), dict[str, str | bool]()
    if len(spec) > _LONGEST or not spec.isprintable():
        raise BadInput(f"{shown(text)} names no model to compare with: it is too long or no text.", "model")
    while "@" in spec:
        rest, _, word = spec.rpartition("@")
        option = _word(word.lower())
        if option is None:
            break
        if option[0] in options:
            raise BadInput(f"{shown(text)} says the {option[0]} twice: leave one of them out.", "model")
        options[option[0]] = option[1]
        spec = rest
    if not spec and not options:
        raise BadInput(
            "A model to compare with is a name, a number format after @ (as in @bfloat16), or both.", "model"
        )
    if is_address(spec):
        spec = resolve(spec).id
    chat = options.get("reading")
    device, dtype = (str(options[what]) if what in options else None for what in ("device", "dtype"))
    return ComparedModel(spec, device, dtype, None if chat is None else bool(chat))


def _word(word: str) -> tuple[str, str | bool] | None:
    dtype = DTYPE_ALIASES.get(word, word)
    if dtype in DTYPE_BYTES:
        return "dtype", dtype
    if word in _READINGS:
        return "reading", _READINGS[word]
    return ("device", word) if _DEVICE.fullmatch(word) else None


def normal_names(
    spec: str | None, device: str | None, dtype: str | None, hardware: Hardware | None = None
) -> tuple[str | None, str | None, str | None]:
    """The same wish in its shortest words, None for each that would be chosen anyway; a folder is its resolved path.

    What cannot be understood stays as it is: loading it says why. ``("smollm2-135m-instruct", "cpu", "fp32")`` on a
    machine without a GPU is ``(None, None, None)``.
    """
    wanted_device, wanted_dtype = _wish(device), _wish(dtype)
    source = _source(spec)
    name = spec if source is None else _name(source)
    if source is not None and source.kind == "server":
        return name, None, None  # it runs where its server put it
    if wanted_device is None and wanted_dtype is None:
        return name, None, None  # the usual case, which need not wait for torch to be imported
    entry = CATALOGUE.get(source.id) if source else None
    sizes = _ANY_SIZE if entry is None else (entry.parameters,)
    machine = hardware or probe()
    try:
        asked = [choose(machine, device=wanted_device, dtype=wanted_dtype, parameters=size) for size in sizes]
        anyway = [choose(machine, dtype=wanted_dtype, parameters=size) for size in sizes]
        formats = {choose(machine, device=wanted_device, parameters=size).dtype for size in sizes}
    except PlaygroundError:
        return name, wanted_device, wanted_dtype
    same_place = all((a.device, a.device_map) == (b.device, b.device_map) for a, b in zip(asked, anyway, strict=True))
    named = asked[0].dtype
    return (
        name,
        None if same_place else wanted_device,
        None if wanted_dtype is None or formats == {named} else named,
    )


def base_names(
    spec: str | None, device: str | None, dtype: str | None
) -> tuple[str | None, str | None, str | None] | None:
    """The normal names of the model that an adapter's name puts it on; None of a name without one, or of none that can be."""
    default = os.environ.get(MODEL_VARIABLE, "").strip()
    try:
        split = split_adapter(spec or default)
        if split is None:
            return None
        base = split.base or without_adapter(default) or DEFAULT_MODEL
    except PlaygroundError:
        return None
    return normal_names(base, device, dtype)


def _wish(given: str | None) -> str | None:
    text = (given or "").strip().lower()
    return None if text in ("", "auto") else text


def _source(spec: str | None) -> ModelSource | None:
    try:
        return resolve(spec if spec and spec.strip() else None)
    except PlaygroundError:
        return None


def _name(source: ModelSource) -> str | None:
    default = _source(None)
    if default is not None and _weights(source) == _weights(default):
        return None
    if source.adapter is not None:
        bare = replace(source, adapter=None)
        of_default = default is not None and _weights(bare) == _weights(replace(default, adapter=None))
        return replace(_resolved(source.adapter), base="" if of_default else _name(bare) or "").text
    if source.path is not None:
        return str(source.path)
    listed = (name for name, entry in CATALOGUE.items() if not entry.bundled and entry.hub_id == source.hub_id)
    return source.id if source.revision else next(listed, source.id)


def _resolved(name: AdapterName) -> AdapterName:
    """With its folder's whole path, where it is one."""
    return name if (place := adapter_place(name.adapter)) is None else replace(name, adapter=place[0])


def _weights(source: ModelSource) -> tuple[object, ...]:
    adapter = None if source.adapter is None else _resolved(source.adapter).wish
    return source.kind, source.path, source.hub_id, source.revision, adapter
