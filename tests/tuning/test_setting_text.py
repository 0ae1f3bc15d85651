"""Settings as typed, and grids of them."""

from __future__ import annotations

import pytest

from playground.errors import BadInput
from playground.sampling.presets import PRESETS
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.tuning.setting_text import (
    grid,
    grid_axes,
    read_settings_text,
    read_values,
    setting_name,
    settings_text,
)


@pytest.mark.parametrize(
    "settings",
    [
        *(preset.settings for preset in PRESETS.values()),
        SamplerSettings(logit_bias={5: -1.5}, dry_multiplier=0.8, dry_sequence_breakers=["\n", ", "]),
        SamplerSettings(temperature=0.25, order="llama.cpp"),
    ],
)
def test_what_is_written_is_read(settings: SamplerSettings) -> None:
    assert read_settings_text(settings_text(settings)) == settings


def test_what_people_type() -> None:
    wanted = SamplerSettings(temperature=0.4, top_p=0.9)
    for text in (
        "temperature 0.4, top_p 0.9",
        "T=0.4 top-p=0.9",
        " temp: 0.4; topp 0.9 ",
        '{"temperature": 0.4, "top_p": 0.9}',
    ):
        assert read_settings_text(text) == wanted
    assert read_settings_text("") == NEUTRAL and settings_text(NEUTRAL) == ""
    twice = ("T 1, temperature 2", '{"top_k": 1, "top_k": 2}')
    hostile = ("{" * 3000, "top_k" + " " * 100_000 + ",")  # the latter in an instant
    for text in (
        "warm",
        "temperature",
        "{",
        "[1]",
        "temperature 0.4 , , x",
        "heat 3",
        "temperature -1",
        *twice,
        *hostile,
    ):
        with pytest.raises(BadInput):
            read_settings_text(text)


def test_grids_and_their_axes() -> None:
    present = SamplerSettings(temperature=1, repetition_penalty=1.1)
    settings = grid(present, {"temperature": [0.5, 1.5], "top_p": [0.9, 1.0, 0.9]})
    assert list(settings) == ["T 0.5, top_p 0.9", "T 0.5, top_p 1", "T 1.5, top_p 0.9", "T 1.5, top_p 1"]
    assert settings["T 1.5, top_p 0.9"] == present.replace(temperature=1.5, top_p=0.9)
    assert grid_axes(settings) == ("temperature", "top_p")
    assert grid_axes({"a": present, "b": present}) is None
    assert grid_axes(settings | {"x": present.replace(order="vllm")}) is None
    with pytest.raises(BadInput, match="A grid of 16 settings is too many"):
        grid(present, {"temperature": read_values("temperature", "0.1 0.2,0.3;0.4"), "top_k": [1, 2, 3, 4]})
    with pytest.raises(BadInput, match="A grid of 25,000,000 settings is too many"):
        grid(present, {"top_k": range(5_000), "seed": range(5_000)})
    with pytest.raises(BadInput, match="5,000 values are too many"):
        read_values("top_k", " ".join(map(str, range(5_000))))
    with pytest.raises(BadInput):
        read_values("top_p", "0.5, 2")
    with pytest.raises(BadInput, match="no value is given"):
        read_values("top_p", " ")


def test_names_are_short_and_their_own() -> None:
    settings = SamplerSettings(temperature=0.4, top_p=0.9)
    assert setting_name(settings, ()) == "T 0.4, top_p 0.9"
    assert setting_name(settings, {"T 0.4, top_p 0.9"}) == "T 0.4, top_p 0.9 (2)"
    assert setting_name(NEUTRAL, {"neutral", "neutral (2)"}) == "neutral (3)"
