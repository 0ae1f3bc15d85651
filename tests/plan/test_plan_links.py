"""Links of the Plan pages that carry a config or a price table: round trips, and what a hostile link can do (nothing)."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest

from playground.errors import BadInput
from playground.plan import own_config
from playground.plan.answers import answer_memory, fit_of, spec_of
from playground.plan.gpu_rows import make_gpu
from playground.plan.links import left_out, plan_link, read_plan_link
from playground.plan.own_config import read_own_config
from playground.plan.packing import MAX_PACKED, MAX_UNPACKED, pack, pack_prices, unpack, unpack_prices
from playground.plan.setup import CUSTOM, ScaleSetup
from playground.scaling.api_prices import ApiPrice, PriceTable
from playground.scaling.configs import (
    LoadedConfig,
    load_preset,
    minimal_config,
    parse_config,
    preset_names,
    read_config,
)

LONG = dict(load_preset("DeepSeek-V3").config) | {
    "auto_map": {"AutoConfig": "evil--x.Y"},
    "id2label": {str(number): f"LABEL_{number}" for number in range(6000)},
}
TABLE = PriceTable(
    tuple(
        ApiPrice("maker", f"model-{number}", 0.5 + number, 2.25, None if number % 2 else 0.125) for number in range(300)
    ),
    "uploaded table",
    "2026-03-01",
)


def link_query(setup: ScaleSetup, page: str) -> str:
    return urlencode(plan_link(setup, page))


@pytest.mark.parametrize("name", preset_names())
def test_the_minimal_config_of_every_preset_has_the_same_spec(name: str) -> None:
    config = load_preset(name).config
    minimal = minimal_config({**config, "junk": "x" * 1000, "auto_map": {"a": "b"}})
    assert read_config(minimal) == read_config(config)
    assert "junk" not in minimal and "auto_map" not in minimal
    assert minimal_config(minimal) == minimal


def test_a_nested_text_config_comes_out_flat_and_means_the_same() -> None:
    inner = dict(load_preset("Gemma-3-12B").config)
    nested = {"model_type": "gemma3", "vision_config": {"hidden_size": 9}, "text_config": inner}
    assert read_config(minimal_config(nested)) == read_config(nested)


def test_a_long_config_travels_and_is_the_same_model_there() -> None:
    own = read_own_config(json.dumps(LONG))
    setup = ScaleSetup(config=CUSTOM, own_config=own)
    assert len(own.text) > 100_000
    query = link_query(setup, "scale_model")
    assert len(query) < 2_000
    reading = read_plan_link(dict(parse_qsl(query)), "scale_model")
    assert reading.problems == ()
    assert spec_of(reading.state) == spec_of(setup)
    assert link_query(reading.state, "scale_model") == query
    assert reading.state.own_config and "evil" not in reading.state.own_config.text


def test_a_config_is_parsed_once_on_its_way_from_the_link_to_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def parse(text: str, name: str) -> LoadedConfig:
        parsed.append(text)
        return parse_config(text, name)

    monkeypatch.setattr(own_config, "parse_config", parse)
    setup = read_plan_link({"config": CUSTOM, "json": GOOD}, "scale_model").state
    assert fit_of(setup).fits and answer_memory(setup)
    assert plan_link(replace(setup, batch=4), "scale_model")["json"]
    assert len(parsed) == 1


def test_an_edited_gpu_may_be_the_chosen_one_and_must_be_in_the_link() -> None:
    card = make_gpu("My card", [100.0, 24.0, 1.0, 300.0, 1.0], "today")
    setup = ScaleSetup(own_gpus=(card,), gpu="My card")
    query = plan_link(setup, "scale_model")
    assert read_plan_link(query, "scale_model").state == setup
    other = replace(setup, own_gpus=(replace(card, name="Yours"),), gpu="Yours")
    assert read_plan_link(plan_link(other, "scale_model"), "scale_model", setup).state == other
    alone = read_plan_link({"gpu": "My card", "batch": "4"}, "scale_model")
    assert alone.state == ScaleSetup(batch=4) and len(alone.problems) == 1
    with pytest.raises(BadInput, match="not in the table"):
        replace(setup, own_gpus=())


def test_a_short_config_in_an_older_link_is_still_read() -> None:
    config = dict(load_preset("SmolLM2-135M").config)
    reading = read_plan_link({"config": CUSTOM, "json": json.dumps(config)}, "scale_model")
    assert reading.problems == ()
    assert reading.state.own_config and reading.state.own_config.config == config


def test_a_price_table_travels() -> None:
    setup = ScaleSetup(prices=TABLE, api="maker/model-7")
    query = link_query(setup, "scale_serving")
    reading = read_plan_link(dict(parse_qsl(query)), "scale_serving")
    assert reading.problems == ()
    assert reading.state == setup


def test_what_is_too_long_is_left_out_and_said() -> None:
    rows = tuple(ApiPrice(f"maker{n * 7919}", f"model-{n * 104729 % 99991}", 1 + n / 7, 2 + n / 3) for n in range(9000))
    setup = ScaleSetup(prices=replace(TABLE, prices=rows))
    assert "prices" not in plan_link(setup, "scale_serving")
    assert left_out(setup, "scale_serving") == ("prices",)
    assert left_out(setup, "scale_model") == ()
    assert left_out(replace(setup, prices=TABLE), "scale_serving") == ()


GOOD = pack(json.dumps(dict(load_preset("SmolLM2-135M").config)))
HOSTILE = {
    "bomb": base64.urlsafe_b64encode(zlib.compress(b" " * 40_000_000, 9)).decode(),
    "cut off": GOOD[: len(GOOD) // 2],
    "changed": GOOD[:40] + ("A" if GOOD[40] != "A" else "B") * 6 + GOOD[46:],
    "not base64": "%%%" + GOOD,
    "not zlib": base64.urlsafe_b64encode(b"hello").decode(),
    "not text": base64.urlsafe_b64encode(zlib.compress(b"\xff\xfe\x00")).decode(),
    "empty": "",
    "one letter": "A",
    "not JSON": pack("hello"),
    "no such model": pack('{"model_type": "no-such-model", "hidden_size": 8}'),
    "zero": pack(json.dumps(dict(load_preset("SmolLM2-135M").config) | {"hidden_size": 0})),
    "long": "A" * (MAX_PACKED + 1),
    "other letters": "日本",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_config_in_a_link_is_one_sentence_and_the_last_good_model_stays(name: str) -> None:
    base = ScaleSetup(config="Mixtral-8x7B")
    reading = read_plan_link({"config": CUSTOM, "json": HOSTILE[name], "batch": "4"}, "scale_model", base)
    assert reading.state == replace(base, batch=4)
    assert 1 <= len(reading.problems) <= 2
    assert all("\n" not in problem and len(problem) < 400 for problem in reading.problems)


def _packed(value: object) -> str:
    return pack(json.dumps(value))


ROW = ["maker", "m", 1.0, 2.0, None]
BAD_TABLES = {
    **{name: HOSTILE[name] for name in ("bomb", "cut off", "not base64", "not zlib", "empty", "not JSON")},
    "a list": _packed([1]),
    "no rows": _packed({"as_of": None, "rows": []}),
    "rows are text": _packed({"rows": "abc"}),
    "a row too short": _packed({"rows": [ROW[:4]]}),
    "no name": _packed({"rows": [["maker", "", 1.0, 2.0, None]]}),
    "a long name": _packed({"rows": [["maker", "x" * 201, 1.0, 2.0, None]]}),
    "negative": _packed({"rows": [["maker", "m", 1.0, -2.0, None]]}),
    "text": _packed({"rows": [["maker", "m", "1", 2.0, None]]}),
    "true": _packed({"rows": [["maker", "m", True, 2.0, None]]}),
    "absent": _packed({"rows": [["maker", "m", None, 2.0, None]]}),
    "NaN": pack('{"rows": [["maker", "m", NaN, 2.0, null]]}'),
    "1e999": pack('{"rows": [["maker", "m", 1e999, 2.0, null]]}'),
    "many digits": pack('{"rows": [["maker", "m", ' + "9" * 4000 + ", 2.0, null]]}"),
    "bad date": _packed({"as_of": "<b>yesterday</b>", "rows": [ROW]}),
    "deep": pack("[" * 100_000),
    "many rows": _packed({"rows": [ROW] * 10_001}),
}


def test_a_price_of_zero_in_a_link_is_a_price() -> None:
    reading = read_plan_link({"prices": _packed({"rows": [["maker", "free", 0, 0, 0]]})}, "scale_serving", ScaleSetup())
    assert not reading.problems and reading.state.prices is not None and reading.state.prices.prices[0].input == 0


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_hostile_price_table_in_a_link_is_one_sentence_and_the_last_table_stays(name: str) -> None:
    base = ScaleSetup(prices=TABLE)
    reading = read_plan_link({"prices": BAD_TABLES[name]}, "scale_serving", base)
    assert reading.state == base
    assert len(reading.problems) == 1
    assert "\n" not in reading.problems[0] and len(reading.problems[0]) < 400


def test_unpacking_is_bounded_before_it_is_done() -> None:
    with pytest.raises(BadInput, match="unpacks to more than 1 MB"):
        unpack(HOSTILE["bomb"], "config.json")
    assert unpack(pack("x" * MAX_UNPACKED), "config.json") == "x" * MAX_UNPACKED
    assert unpack_prices(pack_prices(TABLE)) == TABLE
    assert parse_config(unpack(GOOD, "config.json")).spec is not None
