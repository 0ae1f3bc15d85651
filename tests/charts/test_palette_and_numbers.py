"""Colours that can be read and told apart, and numbers written one way everywhere."""

from __future__ import annotations

import colorsys
import math
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.charts import numbers, palette

ROOT = Path(__file__).resolve().parents[2]
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
GROUNDS = {mode: THEME[mode]["backgroundColor"] for mode in ("light", "dark")}
SCALE = [palette.sequential(step / 255) for step in range(256)]


def independent_contrast(first: str, second: str) -> float:
    """WCAG 2.x contrast, written a second time with NumPy from the published definition."""
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (first, second)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    light = sorted(linear @ np.array([0.2126, 0.7152, 0.0722]))
    return float((light[1] + 0.05) / (light[0] + 0.05))


@pytest.mark.parametrize("step", range(256))
def test_text_over_every_step_of_the_scale_reads_well(step: int) -> None:
    assert independent_contrast(palette.ink_on(SCALE[step]), SCALE[step]) >= 4.5


@given(st.integers(0, 0xFFFFFF))
def test_text_over_any_colour_reads_well(value: int) -> None:
    colour = f"#{value:06X}"
    assert independent_contrast(palette.ink_on(colour), colour) >= 4.5


@pytest.mark.parametrize(("first", "second", "ratio"), [("#FFFFFF", "#000000", 21), ("#777777", "#FFFFFF", 4.48)])
def test_contrast_gives_the_published_values(first: str, second: str, ratio: float) -> None:
    assert palette.contrast(first, second) == pytest.approx(ratio, abs=0.01)


@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF))
def test_contrast_agrees_with_a_second_implementation(a: int, b: int) -> None:
    first, second = f"#{a:06X}", f"#{b:06X}"
    assert palette.contrast(first, second) == pytest.approx(independent_contrast(first, second), rel=1e-9)
    assert palette.contrast(first, second) == palette.contrast(second, first) >= 1


def test_the_scale_grows_lighter_at_every_step() -> None:
    lights = [palette.relative_luminance(colour) for colour in SCALE]
    assert lights == sorted(lights) and lights[0] < 0.03 < 0.7 < lights[-1]
    assert (SCALE[0], SCALE[-1]) == (palette.CIVIDIS[0], palette.CIVIDIS[-1])
    assert palette.sequential(-1) == SCALE[0] and palette.sequential(2) == SCALE[-1]


def test_the_theme_has_the_same_scale() -> None:
    assert tuple(THEME["chartSequentialColors"]) == palette.CIVIDIS


def faded(colour: str, ground: str, share: float) -> str:
    """``colour`` at an opacity of ``share`` over ``ground``."""
    both = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (colour, ground)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02X}" for a, b in zip(*both, strict=True))


@pytest.mark.parametrize("mode", GROUNDS)
def test_captions_and_tokens_stepped_back_over_read_well(mode: str) -> None:
    text, ground = THEME[mode]["textColor"], GROUNDS[mode]
    assert independent_contrast(faded(text, ground, 0.6), ground) >= 4.5, (
        "Streamlit writes captions in 60% of the text's colour"
    )
    style = (ROOT / "playground/ui/components/token_strip.css").read_text(encoding="utf-8")
    rule = re.search(r"\.token\.ghost \{ opacity: ([0-9.]+)", style)
    assert rule is not None
    ghost = float(rule.group(1))
    tinted = faded(text, ground, 0.13)
    assert independent_contrast(faded(text, ground, ghost), faded(tinted, ground, ghost)) >= 4.5


@pytest.mark.parametrize("mode", GROUNDS)
@pytest.mark.parametrize("name", ["RAW", "FINAL", "CUT"])
def test_graphics_stand_out_from_both_grounds(mode: str, name: str) -> None:
    assert independent_contrast(getattr(palette, name), GROUNDS[mode]) >= 3.0


def test_pins_are_okabe_and_itos_and_differ_from_the_accent() -> None:
    okabe_ito = {"#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#000000"}
    assert set(palette.PINS.values()) <= okabe_ito and list(palette.PINS) == list("ABCD")
    hues = [colorsys.rgb_to_hls(*(int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)))[0] for c in palette.PINS.values()]
    assert len({round(hue, 2) for hue in hues}) == 4


def test_the_bars_component_paints_the_palettes_colours() -> None:
    css = (ROOT / "playground" / "ui" / "components" / "bars.css").read_text(encoding="utf-8")
    assert re.search(rf"--raw: {palette.RAW};", css) and re.search(rf"--final: {palette.FINAL};", css)


# -- numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.7725, "77.25%"),
        (1.0, "100.00%"),
        (0.0, "0%"),
        (0.0001, "0.01%"),
        (0.00009, "9.0·10⁻⁵"),
        (6.04e-34, "6.0·10⁻³⁴"),
        (1e-45, "1.0·10⁻⁴⁵"),
        (math.nan, "undefined"),
        (0.000123, "0.01%"),
    ],
)
def test_percent(value: float, text: str) -> None:
    assert numbers.percent(value) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1.84e-7, 1, "1.8·10⁻⁷"), (1e-6, 0, "10⁻⁶"), (3e-6, 0, "3·10⁻⁶"), (0.0, 1, "0"), (9.96e-5, 1, "1.0·10⁻⁴")],
)
def test_a_small_number_by_its_power_of_ten(value: float, decimals: int, text: str) -> None:
    assert numbers.scientific(value, decimals) == text


@pytest.mark.parametrize(("value", "text"), [(0.0421, "0.042"), (0.001, "0.001"), (3.1e-7, "3.1·10⁻⁷"), (0.0, "0")])
def test_a_p_value(value: float, text: str) -> None:
    assert numbers.p_value(value) == text


@given(st.floats(1e-300, 1))
def test_percent_says_the_number(value: float) -> None:
    text = numbers.percent(value)
    plain = text.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")).replace("·10", "e")
    assert float(plain.rstrip("%")) / (100 if "%" in text else 1) == pytest.approx(
        value, rel=0.06, abs=0.00005 if value >= 1e-4 else 0
    )


@pytest.mark.parametrize(
    ("value", "text"), [(-0.2581, "-0.258"), (0.0, "0.000"), (-math.inf, "−∞"), (math.nan, "undefined")]
)
def test_logprob(value: float, text: str) -> None:
    assert numbers.logprob(value) == text


def test_entropy_is_told_in_both_units() -> None:
    assert numbers.entropy(math.log(2)) == "0.693 nats (1.000 bits)"
    assert numbers.entropy(-0.0) == "0.000 nats (0.000 bits)"
    assert numbers.entropy(math.nan) == "unknown"


@pytest.mark.parametrize(("nats", "text"), [(0.0, "1.00"), (math.log(49_152), "49,152"), (math.log(12.345), "12.35")])
def test_effective_choices(nats: float, text: str) -> None:
    assert numbers.choices(nats) == text


@pytest.mark.parametrize(("value", "text"), [(0.4, "0 ms"), (999.4, "999 ms"), (1234, "1.23 s")])
def test_time(value: float, text: str) -> None:
    assert numbers.milliseconds(value) == text


def test_bytes_in_both_units() -> None:
    assert numbers.gigabytes(2**30) == "1.07 GB (1.00 GiB)"
