"""What the Plan pages remember, and the link that brings somebody else to the same numbers.

One frozen ``ScaleSetup`` serves all five pages, so that a model or a GPU chosen on one is there on the next. A page's
link carries the fields of that page only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from playground.errors import BadInput, PlaygroundError
from playground.plan.fields import CUSTOM, FIELDS, PAGE_FIELDS, write_gpu
from playground.plan.packing import MAX_PACKED, pack, pack_prices
from playground.scaling.api_prices import PriceTable
from playground.scaling.configs import minimal_config
from playground.scaling.hardware import Gpu, find_gpu
from playground.state.link_fields import Reading, link_field, link_of, read_link


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


@lru_cache(maxsize=8)
def _packed_config(text: str) -> str:
    """What of a config the numbers depend on, packed; a text that is no such config is packed whole."""
    try:
        config = minimal_config(json.loads(text))
    except (PlaygroundError, ValueError):
        return pack(text)
    return pack(json.dumps(config, separators=(",", ":"), sort_keys=True))


def _declared(default: Any, name: str) -> Any:  # noqa: ANN401 - a dataclass field of any type
    """The field ``name`` of FIELDS as a link field of the setup."""
    found = FIELDS[name]
    return link_field(
        default,
        found.read,
        name=name,
        write=partial(field_text, name),
        label=found.label,
        help=found.help,
        always=name == "config",
    )


@dataclass(frozen=True, slots=True)
class ScaleSetup:
    """Everything set on the Plan pages. Counts in tokens, parameters, sequences and GPUs; prices in USD per GPU-hour.

    ``price`` None: the middle of the table's dated range. ``own_gpus``: rows of the hardware table that were edited.
    ``prices``: an uploaded price table, None for the packaged one.
    """

    config: str = _declared("Llama-3-8B", "config")
    json: str = _declared("", "json")
    basis: str = _declared("checked", "basis")
    weights: str = _declared("bfloat16", "weights")
    purpose: str = _declared("serving", "purpose")
    context: int = _declared(8192, "context")
    batch: int = _declared(8, "batch")
    gpu: str = _declared("H100 SXM", "gpu")
    gpus: int = _declared(1, "gpus")
    optimizer: str = _declared("adam", "optimizer")
    zero: int = _declared(0, "zero")
    recompute: str = _declared("none", "recompute")
    params: float | None = _declared(None, "params")
    dataset: float = _declared(15e12, "dataset")
    epochs: float = _declared(1.0, "epochs")
    cluster: int = _declared(1024, "cluster")
    mfu: float = _declared(0.4, "mfu")
    price: float | None = _declared(None, "price")
    pue: float = _declared(1.1, "pue")
    grid: float = _declared(0.4, "grid")
    attention: bool = _declared(False, "attention")
    law: str = _declared("hoffmann-tex", "law")
    size: float = _declared(70e9, "size")
    tokens: float = _declared(1.4e12, "tokens")
    budget: float = _declared(5.76e23, "budget")
    before: float = _declared(3.4, "before")
    after: float = _declared(2.8, "after")
    demand: float = _declared(1e13, "demand")
    prompt_tokens: int = _declared(512, "prompt_tokens")
    new_tokens: int = _declared(256, "new_tokens")
    samples: int = _declared(1, "samples")
    compute_efficiency: float = _declared(1.0, "compute_efficiency")
    bandwidth_efficiency: float = _declared(1.0, "bandwidth_efficiency")
    api: str = _declared("", "api")
    reasoning: int = _declared(0, "reasoning")
    cached: float = _declared(0.0, "cached")
    usable: float = _declared(0.5, "usable")
    language: str = _declared("Punjabi", "language")
    speakers: float = _declared(113e6, "speakers")
    web_share: float = _declared(0.000061, "web_share")
    own_gpus: tuple[Gpu, ...] = _declared((), "own_gpus")
    prices: PriceTable | None = _declared(None, "prices")


def plan_link(setup: ScaleSetup, page: str) -> dict[str, str]:
    """Query fields that reproduce ``page``: the model always, the rest where it differs from its default."""
    fields = link_of(setup, PAGE_FIELDS[page])
    if setup.config != CUSTOM:
        fields.pop("json", None)
    return {name: text for name, text in fields.items() if len(text) <= MAX_PACKED}


def read_plan_link(query: Mapping[str, str], page: str, base: ScaleSetup | None = None) -> Reading[ScaleSetup]:
    """The setup of a link. Never raises: each bad value gives a sentence and keeps what ``base`` has."""
    start = base or ScaleSetup()
    reading = read_link(ScaleSetup, query, start, only=PAGE_FIELDS[page])
    setup, problems = reading.state, list(reading.problems)
    if setup.config == CUSTOM and not setup.json:
        problems.append("The link's own config.json is not in it; paste it again.")
        setup = replace(setup, config=start.config)
    try:
        gpu_of(setup)
    except BadInput as error:
        problems.append(f"{error} The link's value was left out.")
        setup = replace(setup, gpu=start.gpu)
    return Reading(setup, tuple(problems))


def left_out(setup: ScaleSetup, page: str) -> tuple[str, ...]:
    """The fields that are too long for the page's link."""
    shown = plan_link(setup, page)
    held = {"json": setup.config == CUSTOM, "prices": setup.prices is not None}
    return tuple(name for name, there in held.items() if there and name in PAGE_FIELDS[page] and name not in shown)


def gpu_of(setup: ScaleSetup) -> Gpu:
    """The chosen GPU, an edited row before the table's. Raises BadInput for a name that neither has."""
    for gpu in setup.own_gpus:
        if gpu.name.lower() == setup.gpu.strip().lower():
            return gpu
    return find_gpu(setup.gpu)
