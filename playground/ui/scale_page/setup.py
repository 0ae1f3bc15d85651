"""What the Plan pages remember, and the link that brings somebody else to the same numbers. Knows no streamlit.

One frozen ``ScaleSetup`` serves all five pages, so that a model or a GPU chosen on one is there on the next. A page's
link carries the fields of that page only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from playground.errors import BadInput, PlaygroundError
from playground.scaling.api_prices import PriceTable
from playground.scaling.configs import minimal_config
from playground.scaling.hardware import Gpu, find_gpu
from playground.ui.scale_page.fields import CUSTOM, FIELDS, PAGE_FIELDS, write_gpu
from playground.ui.scale_page.packing import MAX_PACKED, pack, pack_prices


@dataclass(frozen=True, slots=True)
class ScaleSetup:
    """Everything set on the Plan pages. Counts in tokens, parameters, sequences and GPUs; prices in USD per GPU-hour.

    ``price`` None: the middle of the table's dated range. ``own_gpus``: rows of the hardware table that were edited.
    ``prices``: an uploaded price table, None for the packaged one.
    """

    config: str = "Llama-3-8B"
    json: str = ""
    basis: str = "checked"
    weights: str = "bfloat16"
    purpose: str = "serving"
    context: int = 8192
    batch: int = 8
    gpu: str = "H100 SXM"
    gpus: int = 1
    optimizer: str = "adam"
    zero: int = 0
    recompute: str = "none"
    params: float | None = None
    dataset: float = 15e12
    epochs: float = 1.0
    cluster: int = 1024
    mfu: float = 0.4
    price: float | None = None
    pue: float = 1.1
    grid: float = 0.4
    attention: bool = False
    law: str = "hoffmann-tex"
    size: float = 70e9
    tokens: float = 1.4e12
    budget: float = 5.76e23
    before: float = 3.4
    after: float = 2.8
    demand: float = 1e13
    prompt_tokens: int = 512
    new_tokens: int = 256
    samples: int = 1
    compute_efficiency: float = 1.0
    bandwidth_efficiency: float = 1.0
    api: str = ""
    reasoning: int = 0
    cached: float = 0.0
    usable: float = 0.5
    language: str = "Punjabi"
    speakers: float = 113e6
    web_share: float = 0.000061
    own_gpus: tuple[Gpu, ...] = ()
    prices: PriceTable | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A setup and one sentence about each value that could not be used."""

    setup: ScaleSetup
    problems: tuple[str, ...] = ()


def write_number(value: float | None) -> str:
    """The shortest text that ``parse_number`` reads back to exactly ``value``: ``7B``, ``1.4T``, ``8030261248``."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    if 1e-12 < abs(value) < 1:
        return format(Decimal(repr(float(value))), "f")
    for suffix, scale in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if scale <= abs(value) < 1000 * scale:
            short = f"{value / scale:.6g}"
            if float(short) * scale == value:
                return short + suffix
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value)).replace("e+", "e")


def field_text(name: str, value: Any) -> str:
    """``value`` as a link writes it."""
    if name == "json":
        return _packed_config(value)
    if name == "prices":
        return pack_prices(value)
    if name == "own_gpus":
        return ";".join(write_gpu(gpu) for gpu in value)
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else write_number(value)


def link_fields(setup: ScaleSetup, page: str) -> dict[str, str]:
    """Query fields that reproduce ``page``: the model always, the rest where it differs from its default."""
    plain = ScaleSetup()
    fields = {}
    for name in PAGE_FIELDS[page]:
        value = getattr(setup, name)
        if name == "json" and setup.config != CUSTOM:
            continue
        if name == "config" or value != getattr(plain, name):
            fields[name] = field_text(name, value)
    return {name: text for name, text in fields.items() if len(text) <= MAX_PACKED}


def left_out(setup: ScaleSetup, page: str) -> tuple[str, ...]:
    """The fields that are too long for the page's link."""
    shown = link_fields(setup, page)
    held = {"json": setup.config == CUSTOM, "prices": setup.prices is not None}
    return tuple(name for name, there in held.items() if there and name in PAGE_FIELDS[page] and name not in shown)


@lru_cache(maxsize=8)
def _packed_config(text: str) -> str:
    """What of a config the numbers depend on, packed; a text that is no such config is packed whole."""
    try:
        config = minimal_config(json.loads(text))
    except (PlaygroundError, ValueError):
        return pack(text)
    return pack(json.dumps(config, separators=(",", ":"), sort_keys=True))


def link_query(setup: ScaleSetup, page: str) -> str:
    """``link_fields`` as the text after the question mark."""
    return urlencode(link_fields(setup, page))


def read_link(fields: Mapping[str, str], page: str, base: ScaleSetup | None = None) -> Reading:
    """The setup of a link. Never raises: each bad value gives a sentence and keeps what ``base`` has."""
    start = setup = base or ScaleSetup()
    problems = []
    for name in PAGE_FIELDS[page]:
        if name in fields:
            try:
                setup = replace(setup, **{name: FIELDS[name].read(fields[name])})
            except PlaygroundError as error:
                problems.append(f"{error} The link's value was left out.")
    if setup.config == CUSTOM and not setup.json:
        problems.append("The link's own config.json is not in it; paste it again.")
        setup = replace(setup, config=start.config)
    try:
        gpu_of(setup)
    except BadInput as error:
        problems.append(f"{error} The link's value was left out.")
        setup = replace(setup, gpu=start.gpu)
    return Reading(setup, tuple(problems))


def gpu_of(setup: ScaleSetup) -> Gpu:
    """The chosen GPU, an edited row before the table's. Raises BadInput for a name that neither has."""
    for gpu in setup.own_gpus:
        if gpu.name.lower() == setup.gpu.strip().lower():
            return gpu
    return find_gpu(setup.gpu)
