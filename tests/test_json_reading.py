"""A stranger's JSON: what json.loads reads is read, and no nesting brings Python near its limit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NoReturn

import pytest

from playground.json_reading import NestedTooDeeply, read_json
from playground.state.link_fields import read_link, texts


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2.5, null, true, "é"]}',
        '"\\ud800"',
        "1e999",
        "[" * 150 + "]" * 150,
        "123456789012345678901234567890",
        '"x"',
    ],
)
def test_what_the_standard_library_reads_is_read(text: str) -> None:
    assert read_json(text) == json.loads(text) == read_json(text.encode())


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "[" * 500 + "]" * 500, '["\\ud800", ' + "[" * 100_000]
)
def test_what_nests_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(NestedTooDeeply):
        read_json(text)


@pytest.mark.parametrize("text", ["", "{", "[1,]", "NaN", "'a'", "\x00", "\ud800", '["\ud800"', "[" * 100_000])
def test_hooks_and_faults_are_those_of_the_standard_library(text: str) -> None:
    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is not JSON")

    with pytest.raises(ValueError, match=r"\w"):
        read_json(text, parse_constant=refuse)


@dataclass(frozen=True)
class State:
    words: tuple[str, ...] = texts(label="Words")


def test_a_link_with_a_deep_list_is_one_sentence() -> None:
    reading = read_link(State, {"words": "[" * 5_000}, State(("a",)))
    assert reading.state == State(("a",))
    assert len(reading.problems) == 1
