"""Weights told from their grid against gguf's own quantiser, and the compiled products against float64."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from playground.engine import coded_linear
from playground.engine.code_kernels import KERNEL_ROWS, multiply
from playground.engine.coded_linear import MOST_ROWS, TWICE, attach_codes, coded_layers
from playground.engine.codes import Codes, find_codes, join_codes, weight_of
from playground.engine.prepack import PackedLinear
from playground.engine.transformers_engine import TransformersEngine

KINDS = {4: gguf.GGMLQuantizationType.Q4_1, 8: gguf.GGMLQuantizationType.Q8_0}
PLENTY = 2**40


def stored(bits: int, outputs: int, inputs: int, seed: int = 0, spread: float = 1.0) -> torch.Tensor:
    """A weight as it comes out of a GGUF file of ``bits``."""
    rng = np.random.default_rng(seed)
    plain = (rng.standard_normal((outputs, inputs)) * spread).astype(np.float32)
    return torch.from_numpy(gguf.quants.dequantize(gguf.quants.quantize(plain, KINDS[bits]), KINDS[bits]))


def coded(bits: int, outputs: int, inputs: int, seed: int = 0) -> Codes:
    codes = find_codes(stored(bits, outputs, inputs, seed))
    assert codes is not None
    return codes


@pytest.mark.parametrize("bits", KINDS)
@settings(deadline=None, max_examples=25)
@given(
    blocks=st.integers(1, 4),
    groups=st.integers(1, 4),
    seed=st.integers(0, 2**16),
    spread=st.sampled_from([1e-4, 0.02, 1.0, 50.0]),
)
def test_what_gguf_stored_is_found_to_the_last_bit(
    bits: int, blocks: int, groups: int, seed: int, spread: float
) -> None:
    weight = stored(bits, 16 * blocks, 32 * groups, seed, spread)
    codes = find_codes(weight)
    assert codes is not None and codes.bits == bits
    assert torch.equal(weight_of(codes), weight)
    assert codes.nbytes < weight.nbytes / (5 if bits == 4 else 3)


def test_constant_and_zero_groups_have_codes() -> None:
    weight = stored(4, 16, 64)
    weight[3, :32], weight[5] = 0.25, 0.0
    codes = find_codes(weight)
    assert codes is not None and torch.equal(weight_of(codes), weight)


def test_other_weights_have_none() -> None:
    assert find_codes(torch.randn(32, 64)) is None
    assert find_codes(stored(4, 16, 64).bfloat16()) is None
    assert find_codes(stored(4, 24, 64)) is None, "not a whole number of blocks"
    spoilt = stored(4, 32, 64)
    spoilt[31, 63] += 1e-4 * spoilt[31].abs().max()
    assert find_codes(spoilt) is None, "one weight off the grid is enough"


def test_pieces_join_to_the_whole() -> None:
    weight = stored(4, 64, 96)
    parts = [find_codes(weight[begin : begin + 32]) for begin in (0, 32)]
    assert torch.equal(weight_of(join_codes([part for part in parts if part is not None])), weight)


@pytest.mark.parametrize("bits", KINDS)
@pytest.mark.parametrize("rows", [*range(1, 9), 11])
def test_products_equal_float64_and_do_not_depend_on_the_company(bits: int, rows: int) -> None:
    codes = coded(bits, 48, 160)
    states = torch.randn(rows, 160, generator=torch.Generator().manual_seed(rows))
    result = multiply(codes, states)
    exact = states.double() @ weight_of(codes).double().T
    assert float((result - exact).abs().max() / exact.abs().max()) < 2e-6
    for row in range(rows):
        assert torch.equal(result[row : row + 1], multiply(codes, states[row : row + 1].clone()))


def small_model() -> nn.Module:
    first, second, odd = nn.Linear(64, 32), nn.Linear(32, 16, bias=False), nn.Linear(16, 16, bias=False)
    with torch.no_grad():
        first.weight.copy_(stored(4, 32, 64))
        second.weight.copy_(stored(8, 16, 32))
    return nn.Sequential(first, second, odd)


def finished(model: nn.Module, most_bytes: int = PLENTY) -> int:
    for _ in attach_codes(model, most_bytes):
        pass
    return coded_layers(model)


@pytest.fixture
def pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The race is won by the short way."""
    times = itertools.cycle([1.0, 2.0])
    monkeypatch.setattr(coded_linear, "_seconds", lambda layers, rows, way: next(times))


@pytest.mark.usefixtures("pays")
@pytest.mark.parametrize("shape", [(1, 64), (1, 3, 64), (4, 1, 64), (40, 64)])
def test_layers_give_what_they_gave(shape: tuple[int, ...]) -> None:
    model, states = small_model(), torch.randn(shape)
    names = [name for name, _ in model.named_parameters()]
    with torch.inference_mode():
        before = model(states)
        assert finished(model) == 2, "the layer off the grid keeps its own way"
        assert torch.allclose(model(states), before, rtol=0, atol=1e-5 * float(before.abs().max()))
    assert [name for name, _ in model.named_parameters()] == names
    model(states).sum().backward()
    assert model[0].weight.grad is not None, "with gradients the plain way is taken"


@pytest.mark.parametrize("twice_pays", [True, False])
def test_few_rows_read_codes_and_many_do_not(monkeypatch: pytest.MonkeyPatch, twice_pays: bool) -> None:
    """The number that is taken by two loops is raced too."""

    def seconds(layers: list[Any], rows: int, way: Callable[[Any], Any]) -> float:
        short = way(layers[0]) is layers[0].forward
        return 1.0 if short == (rows == 1 or twice_pays) else 2.0

    monkeypatch.setattr(coded_linear, "_seconds", seconds)
    model, most = small_model(), TWICE if twice_pays else MOST_ROWS
    finished(model)
    asked: list[int] = []
    monkeypatch.setattr(
        coded_linear,
        "multiply",
        lambda codes, states: asked.append(len(states)) or torch.zeros(len(states), codes.outputs),
    )
    with torch.inference_mode():
        for rows in (1, most, most + 1):
            model[0](torch.ones(rows, 64))
    assert asked == [1, most]


def test_a_way_that_is_not_shorter_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    times = itertools.cycle([2.0, 1.9])
    monkeypatch.setattr(coded_linear, "_seconds", lambda layers, rows, way: next(times))
    assert finished(small_model()) == 0


@pytest.mark.usefixtures("pays")
def test_no_room_no_codes_and_nothing_to_compile_with_no_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert finished(small_model(), most_bytes=1500) == 0

    def broken(bits: int, rows: int) -> None:
        raise OSError("no compiler here")

    monkeypatch.setattr(coded_linear, "kernel", broken)
    assert finished(small_model()) == 0


def test_every_number_of_rows_has_a_loop() -> None:
    assert max(KERNEL_ROWS) <= MOST_ROWS and min(KERNEL_ROWS) == 1


@pytest.mark.model
def test_every_layer_of_the_bundled_model_has_codes(bundled_engine: TransformersEngine) -> None:
    for _ in bundled_engine.prepare():
        pass
    model = bundled_engine.loaded.model
    layers = [module for module in model.modules() if isinstance(module, (nn.Linear, PackedLinear))]
    codes = [find_codes(layer.weight) for layer in layers[:9]]
    assert all(found is not None and found.bits == 4 for found in codes)
    assert coded_layers(model) in (0, len(layers)), "all of them, or none where the plain way won the race"
