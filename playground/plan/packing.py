"""Long values in a link: compressed text in the alphabet of addresses, and what comes back of it. Knows no streamlit.

Somebody else wrote the link: what is unpacked is bounded before it exists, and each refusal is one sentence.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from playground.errors import BadInput
from playground.json_reading import read_json
from playground.scaling.api_prices import MAX_PRICE, ApiPrice, PriceTable, check_date
from playground.scaling.quantity import check_number

MAX_PACKED = 60_000  # characters of one value in a link; the server takes 512 KiB of all together, some proxies less
MAX_UNPACKED = 1_000_000  # bytes
MAX_ROWS = 10_000


def pack(text: str) -> str:
    """zlib, then base64 with - and _ and without padding."""
    return base64.urlsafe_b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii").rstrip("=")


def unpack(packed: str, name: str) -> str:
    """What ``pack`` was given. BadInput where it is too long, cut off, changed, or would grow beyond MAX_UNPACKED."""
    if len(packed) > MAX_PACKED:
        raise BadInput(f"The link's {name} is longer than {MAX_PACKED:,} characters; use the file itself.", name)
    try:
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        reader = zlib.decompressobj()
        unpacked = reader.decompress(raw, MAX_UNPACKED + 1)
        if len(unpacked) > MAX_UNPACKED:
            raise BadInput(
                f"The link's {name} unpacks to more than {MAX_UNPACKED / 1e6:g} MB; use the file itself.", name
            )
        if not reader.eof:
            raise zlib.error("cut off")
        return unpacked.decode("utf-8")
    except (binascii.Error, zlib.error, ValueError):
        raise BadInput(
            f"The link's {name} was cut off or changed on its way; copy the whole link again.", name
        ) from None


def pack_prices(table: PriceTable) -> str:
    """A price table for a link: its date and its rows."""
    rows = [[each.provider, each.model, each.input, each.output, each.cached_input] for each in table.prices]
    return pack(json.dumps({"as_of": table.as_of, "rows": rows}, separators=(",", ":"), ensure_ascii=False))


def unpack_prices(packed: str) -> PriceTable:
    """The table of a link, checked like an uploaded one. BadInput names the row at fault."""
    try:
        prices = read_json(unpack(packed, "prices"), parse_constant=_refuse, parse_int=float)
    except ValueError:
        raise _no_table() from None
    rows = prices.get("rows") if isinstance(prices, dict) else None
    if not isinstance(rows, list) or not 0 < len(rows) <= MAX_ROWS:
        raise _no_table()
    as_of = prices.get("as_of")
    if as_of is not None and not isinstance(as_of, str):
        raise _no_table()
    check_date(as_of)
    return PriceTable(tuple(_row(row, place) for place, row in enumerate(rows, 1)), "uploaded table", as_of)


def _row(row: object, place: int) -> ApiPrice:
    if (
        not isinstance(row, list)
        or len(row) != 5
        or not all(isinstance(text, str) and 0 < len(text) <= 200 for text in row[:2])
    ):
        raise BadInput(
            f"Row {place} of the link's prices names no provider and model; copy the whole link again.", "prices"
        )
    field = f"price in row {place} of the link"
    into, out, cached = (
        None if value is None else check_number(value, field, maximum=MAX_PRICE, above_minimum=False)
        for value in row[2:]
    )
    if into is None or out is None:
        raise _no_table()
    return ApiPrice(row[0], row[1], into, out, cached)


def _refuse(name: str) -> float:
    raise ValueError(name)


def _no_table() -> BadInput:
    return BadInput("The link's prices are not a price table; copy the whole link again.", "prices")
