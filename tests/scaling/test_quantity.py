"""Numbers as typed: what is read, what is refused, and how they are shown."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.scaling.quantity import (
    check_number,
    format_bytes,
    format_count,
    format_duration,
    format_money,
    parse_count,
    parse_number,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7e9", 7e9),
        ("7B", 7e9),
        ("1.4T", 1.4e12),
        ("300,000", 3e5),
        ("7b", 7e9),
        (" 12 ", 12),
        ("5.76E23", 5.76e23),
        ("128K", 128_000),
        ("1_000", 1000),
        (".5", 0.5),
        ("2M", 2e6),
    ],
)
def test_counts(text: str, value: float) -> None:
    assert parse_number(text, "--params") == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "inf",
        "-1",
        "-7B",
        "0",
        "1e400",
        "1e30000",
        "7BB",
        "7 billion",
        "0x10",
        "1e",
        "--",
        "٣",
        "1;2",
        "9" * 400,
        "1e99",
        "NaN",
        "Infinity",
        "7\x00B",
        "7\u212a",
    ],
)
def test_refusals_name_the_flag(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_number(text, "--params")
    assert str(caught.value).startswith("--params ") and caught.value.field == "--params"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["1,5B", "0,15", "0,150", "12,34", "1,00,000", "1.5,000"])
def test_a_decimal_comma_is_no_thousands_separator(text: str) -> None:
    with pytest.raises(BadInput, match="write decimals with a point"):
        parse_number(text, "--params")


def test_ranges() -> None:
    with pytest.raises(BadInput, match="at most 1"):
        parse_number("1.2", "--mfu", maximum=1)
    with pytest.raises(BadInput, match="at least 1"):
        parse_number("0.9", "--pue", minimum=1, above_minimum=False)
    assert parse_number("0", "--demand", above_minimum=False) == 0
    no_numbers: tuple[Any, ...] = (math.nan, math.inf, -math.inf, True, None, "7")
    for hostile in no_numbers:
        with pytest.raises(BadInput):
            check_number(hostile, "x")
    with pytest.raises(BadInput, match="whole"):
        parse_count("1.5", "--gpus")
    assert parse_count("2K", "--batch") == 2000


def test_gigabytes_are_not_gibibytes() -> None:
    assert format_bytes(13_476_831_232) == "13.48 GB (12.55 GiB)"
    assert format_bytes(524_288) == "524.29 kB (512.00 KiB)"
    assert format_bytes(12) == "12 B"


def test_durations_and_money() -> None:
    assert format_duration(0.022) == "22.0 ms"
    assert format_duration(20.8 * 86400) == "20.8 days"
    assert format_money(4.1e6, "2026-11") == "$4.10M (prices of 2026-11)"
    assert format_money(200.5) == "$200.50" and format_money(0.0003) == "$0.0003"
    assert format_money(2.4e-5) == "$2.4·10⁻⁵"


def test_counts_are_shown_short() -> None:
    assert format_count(6_738_415_616) == "6.74B"
    assert format_count(3.14e23) == "3.14·10²³"
    assert format_count(0) == "0" and format_count(20) == "20.0"
    assert format_count(999_999) == "1.00M" and format_count(999_499) == "999K" and format_count(-999.9999) == "-1.00K"


@settings(derandomize=True, database=None)
@given(st.floats(1e-2, 1e14))
def test_what_is_shown_reads_back_to_the_digits_shown(value: float) -> None:
    assert parse_number(format_count(value), "x") == pytest.approx(value, rel=6e-3)


@settings(derandomize=True, database=None, max_examples=300)
@given(st.text(max_size=12))
def test_any_text_is_a_number_or_a_sentence(text: str) -> None:
    try:
        assert math.isfinite(parse_number(text, "--x"))
    except BadInput as error:
        assert str(error).startswith("--x")
