"""API or own GPU: what tokens cost by API, and from how many a day on a GPU of one's own is cheaper.

Prices come from the table that the package ``genai-prices`` ships (no network: its snapshot, with its version and
newest date), or from an uploaded CSV. Reasoning tokens are billed as output, cached ones at the cache price. The
package is imported only when its table is asked for.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from playground.errors import BadInput
from playground.json_reading import repeated
from playground.scaling.figures import Figure, figure
from playground.scaling.quantity import check_number, parse_number

if TYPE_CHECKING:
    from decimal import Decimal

    from genai_prices.types import ModelInfo, TieredPrices

MAX_CSV_CHARS = 2_000_000
MAX_PRICE = 1e6  # USD per million tokens
CSV_COLUMNS = ("model", "input", "output")
_ISO_DATE = re.compile(r"\b20[0-9]{2}-[01][0-9]-[0-3][0-9]\b")


@dataclass(frozen=True, slots=True)
class ApiPrice:
    """USD per million tokens. ``cached_input`` is None where a provider has no cheaper price for cached tokens."""

    provider: str
    model: str
    input: float
    output: float
    cached_input: float | None = None


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices with where they come from. ``as_of``: the newest date in the table, YYYY-MM-DD; None when none is known."""

    prices: tuple[ApiPrice, ...]
    source: str
    as_of: str | None

    def find(self, model: str, provider: str | None = None) -> ApiPrice:
        """The price of exactly this model (case-insensitive). Raises BadInput naming some that begin alike."""
        wanted = model.strip().lower()
        for price in self.prices:
            if price.model.lower() == wanted and provider in (None, price.provider):
                return price
        near = [price.model for price in self.prices if wanted[:4] and price.model.lower().startswith(wanted[:4])][:4]
        hint = f"; near it are {', '.join(near)}" if near else ""
        raise BadInput(f"model {model[:60]!r} is not in the price table{hint}.", "model")


@dataclass(frozen=True, slots=True)
class Query:
    """Tokens of one average request. ``cached_share`` of the prompt is served from the provider's cache."""

    prompt_tokens: float
    answer_tokens: float
    reasoning_tokens: float = 0.0
    cached_share: float = 0.0

    def __post_init__(self) -> None:
        check_number(self.prompt_tokens, "prompt tokens", maximum=1e9, above_minimum=False)
        check_number(self.answer_tokens, "answer tokens", maximum=1e9, above_minimum=False)
        check_number(self.reasoning_tokens, "reasoning tokens", maximum=1e9, above_minimum=False)
        check_number(self.cached_share, "cached share", maximum=1.0, above_minimum=False)
        if not self.tokens:
            raise BadInput("A query needs at least one token; give prompt or answer tokens.", "prompt tokens")

    @property
    def tokens(self) -> float:
        return self.prompt_tokens + self.answer_tokens + self.reasoning_tokens


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From ``tokens_per_day`` on the GPU is the cheaper one. None when it never is, or cannot serve that many.

    ``gpu_usd_per_day`` is paid whether the GPU works or not. ``capacity_tokens_per_day`` is what it can serve.
    """

    api_usd_per_query: Figure
    gpu_usd_per_day: Figure
    queries_per_day: Figure
    tokens_per_day: float | None
    capacity_tokens_per_day: float
    reachable: bool


@lru_cache(maxsize=1)
def packaged_prices() -> PriceTable:
    """The snapshot that ships with ``genai-prices``: models billed by input and output tokens, base tier."""
    from genai_prices.data import providers

    now = datetime.now(tz=UTC)
    prices: list[ApiPrice] = []
    newest = ""
    for provider in providers:
        for model in provider.models:
            price = model.get_prices(now).__dict__
            into, out = _base(price.get("input_mtok")), _base(price.get("output_mtok"))
            if into is not None and out is not None and out > 0:
                cached = _base(price.get("cache_read_mtok"))
                prices.append(ApiPrice(provider.id, model.id, into, out, cached))
            newest = max(newest, _newest_date(model, now.date().isoformat()))
    return PriceTable(tuple(prices), f"genai-prices {version('genai-prices')}", newest or None)


def _base(price: Decimal | TieredPrices | None) -> float | None:
    """A plain price, or the first tier of one that depends on the length."""
    value: Any = getattr(price, "base", price)
    return None if value is None else float(value)


def _newest_date(model: ModelInfo, today: str) -> str:
    """The package states no date of its own: the newest one that a model's remarks or price changes name, up to now."""
    dates = _ISO_DATE.findall(model.price_comments or "")
    if isinstance(model.prices, list):
        starts = (getattr(entry.constraint, "start_date", None) for entry in model.prices)
        dates += [start.isoformat() for start in starts if start is not None]
    return max((date for date in dates if date <= today), default="")


def read_price_csv(text: str, as_of: str | None = None) -> PriceTable:
    """An uploaded table with the columns model, input, output (USD per million tokens), and cached_input if there is one.

    Raises BadInput naming the line and column at fault.
    """
    if len(text) > MAX_CSV_CHARS:
        raise BadInput("The price table is longer than 2 MB; upload only the rows you compare.", "prices")
    check_date(as_of)
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=None))  # lines may end in any way
    try:
        header = [name.strip().lower() for name in reader.fieldnames or ()]
        if twice := repeated(header):
            raise BadInput(f"The price table has two columns {twice!r}; keep one of them.", "prices")
        missing = [name for name in CSV_COLUMNS if name not in header]
        if missing:
            raise BadInput(
                f"The price table lacks the column {missing[0]!r}; it needs {', '.join(CSV_COLUMNS)}.", "prices"
            )
        reader.fieldnames = header
        prices = tuple(_csv_row(row, reader.line_num) for row in reader)
    except csv.Error as error:
        raise BadInput(f"The price table is not CSV: {error}.", "prices") from None
    if not prices:
        raise BadInput("The price table has a header and no rows; add at least one model.", "prices")
    return PriceTable(prices, "uploaded table", as_of)


def check_date(as_of: str | None) -> None:
    """BadInput where a table's date is given and not written YYYY-MM-DD."""
    if as_of is None:
        return
    try:
        is_date = bool(_ISO_DATE.fullmatch(as_of)) and date.fromisoformat(as_of)
    except ValueError:  # the 30th of February
        is_date = False
    if not is_date:
        raise BadInput(f"The date of the prices must be a day written YYYY-MM-DD, not {as_of[:20]!r}.", "as of")


def _csv_row(row: dict[Any, Any], line: int) -> ApiPrice:
    if None in row:  # what csv does with cells that no column is for
        raise BadInput(
            f"Line {line} of the price table has more cells than the heading; put a cell that holds a comma in quotes.",
            "prices",
        )
    model = (row.get("model") or "").strip()
    if not model:
        raise BadInput(f"Line {line} of the price table has no model.", "prices")

    def price(column: str) -> float:
        field = f"column {column!r} in line {line}"
        return parse_number((row.get(column) or "").strip().lstrip("$"), field, maximum=MAX_PRICE, above_minimum=False)

    cached = price("cached_input") if (row.get("cached_input") or "").strip() else None
    return ApiPrice((row.get("provider") or "upload").strip(), model, price("input"), price("output"), cached)


def price_query(price: ApiPrice, query: Query) -> Figure:
    """USD of one request by API: fresh and cached prompt tokens, answer and reasoning tokens at the output price."""
    cached = query.prompt_tokens * query.cached_share
    per_token = "USD/token"
    return figure(
        "One query by API",
        "USD",
        "fresh · input + cached · cache + (answer + reasoning) · output",
        f"price list of {price.provider}, per token",
        fresh=(query.prompt_tokens - cached, "token"),
        input=(price.input / 1e6, per_token),
        cached=(cached, "token"),
        cache=((price.input if price.cached_input is None else price.cached_input) / 1e6, per_token),
        answer=(query.answer_tokens, "token"),
        reasoning=(query.reasoning_tokens, "token"),
        output=(price.output / 1e6, per_token),
    )


def break_even(
    price: ApiPrice, query: Query, gpu_price: float, gpus: int, tokens_per_s: float, usable: float = 1.0
) -> BreakEven:
    """Where renting ``gpus`` around the clock costs as much as the API for the same queries.

    ``tokens_per_s``: tokens the GPUs write, end to end (``inference.Serving.end_to_end_tokens_per_s``); reasoning
    tokens are written too. ``usable``: share of the day that demand fills. Raises BadInput for prices of zero.
    """
    rent = (check_number(gpu_price, "price per GPU-hour", maximum=1e6), "USD/GPU/h")
    check_number(gpus, "gpus", maximum=1e7)
    check_number(usable, "usable share of the day", maximum=1.0)
    written = check_number(query.answer_tokens + query.reasoning_tokens, "answer tokens")
    api = price_query(price, query)
    if api.value <= 0:
        raise BadInput(f"The API price of {price.model} is zero, so there is no break-even; choose another.", "prices")
    daily = figure(
        "GPUs for a day", "USD/day", "price · GPUs · 24{h/day}", "rent", price=rent, GPUs=(float(gpus), "GPU")
    )
    queries = figure(
        "Queries a day", "1/day", "day / query", "break-even", day=(daily.value, "USD/day"), query=(api.value, "USD")
    )
    capacity = check_number(tokens_per_s, "tokens per second", maximum=1e15) * 86400 * usable / written * query.tokens
    tokens = queries.value * query.tokens
    reachable = tokens <= capacity
    return BreakEven(api, daily, queries, tokens if reachable else None, capacity, reachable)
