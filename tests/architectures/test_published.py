"""S4D and H3, of which transformers has no class: against the numbers of their authors' code, and the formulas written out.

The numbers were computed once in float64 by the layers of state-spaces/s4 (``models/s4/s4d.py``) and HazyResearch/H3
(``src/models/ssm``: h3, ss_kernel_shift and ss_kernel_diag with their defaults), from the weights of ``waves`` below.
"""

from __future__ import annotations

import cmath
import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from playground.architectures.layers.h3 import H3
from playground.architectures.layers.layer import Layer
from playground.architectures.layers.s4 import S4, DiagonalSsm

Floats = npt.NDArray[np.float64]
WIDTH, STATES, TAPS, LENGTH = 4, 3, 4, 10

S4D_PUBLISHED = (
    (0.6218698, 0.0428258, -0.3059034, 0.1866325),
    (0.6031867, 0.063153, -0.2794894, 0.2904411),
    (0.7113139, 0.1236385, -0.2248932, 0.2909971),
    (0.7952032, 0.1495869, -0.2014057, 0.2412726),
    (0.7905553, 0.1336945, -0.2159267, 0.1968808),
    (0.7680671, 0.1014943, -0.2470507, 0.1156238),
    (0.795082, 0.0765204, -0.2637619, -0.0976226),
    (0.7701224, 0.056988, -0.2461306, -0.4286209),
    (0.6760252, 0.0434721, -0.2232874, -0.662808),
    (0.640127, 0.0400184, -0.214797, -0.7305554),
)
H3_PUBLISHED = (
    (0.4273991, -2.8695406, -3.4330537, -3.1334047),
    (4.6112705, 1.3279308, -0.3183829, -1.9151021),
    (4.9773066, 3.3030393, 2.7498898, 1.4448866),
    (-2.5631353, -5.5793939, -5.1543986, -3.4166172),
    (-6.3567796, -10.5705352, -10.0393257, -6.9193627),
    (-3.6834464, -5.8430454, -4.4925236, -2.0021007),
    (-4.2750104, -5.4540234, -3.2245299, -0.1863417),
    (-3.4496453, -4.5606335, -2.4964731, 0.1862098),
    (2.2364843, 2.3135637, 3.7702168, 4.2085016),
    (0.164739, -0.1625344, 1.5365352, 2.8006854),
)


def waves(*shape: int, phase: float) -> Floats:
    """Weights from a formula, so that no file holds them: sin(1.7 i + phase), i counting through the shape."""
    wave: Floats = np.sin(1.7 * np.arange(math.prod(shape)) + phase).reshape(shape)
    return wave


def give(weight: Tensor, values: Floats) -> None:
    weight.data.copy_(torch.from_numpy(values))


def give_linear(linear: nn.Linear, phase: float) -> None:
    give(linear.weight, waves(*linear.weight.shape, phase=phase))
    give(linear.bias, waves(*linear.bias.shape, phase=phase + 0.5))


def give_ssm(ssm: DiagonalSsm) -> None:
    give(ssm.log_step, waves(WIDTH, phase=0.2) - 2)
    give(ssm.output, waves(WIDTH, STATES, 2, phase=0.3))
    give(ssm.log_decay, waves(WIDTH, STATES, phase=0.4) - 0.7)
    give(ssm.frequency, math.pi * np.arange(STATES) + waves(WIDTH, STATES, phase=0.6))
    give(ssm.skip, waves(WIDTH, phase=0.7))


def make_s4() -> S4:
    layer = S4(WIDTH, STATES)
    give_ssm(layer.ssm)
    give_linear(layer.mix, 0.8)
    return layer


def make_h3() -> H3:
    layer = H3(WIDTH, TAPS, STATES)
    give_ssm(layer.ssm)
    for number in range(3):  # query, key, value: three maps of theirs are one of ours
        rows = slice(number * WIDTH, (number + 1) * WIDTH)
        give(layer.query_key_value.weight[rows], waves(WIDTH, WIDTH, phase=2.1 + number / 10))
        give(layer.query_key_value.bias[rows], waves(WIDTH, phase=2.6 + number / 10))
    shift = waves(WIDTH, TAPS, phase=2.5)
    shift[:, 0] += waves(WIDTH, phase=2.6)  # theirs gives the present key a weight beside the shift's first
    give(layer.shift, shift[:, ::-1].copy())  # ours has the present last
    give_linear(layer.out, 2.4)
    return layer


LAYERS = {"s4": make_s4, "h3": make_h3}
INPUTS = waves(1, LENGTH, WIDTH, phase=0.1)


@pytest.mark.parametrize(("name", "published"), [("s4", S4D_PUBLISHED), ("h3", H3_PUBLISHED)])
def test_the_layer_gives_the_numbers_of_its_authors_code(name: str, published: tuple[tuple[float, ...], ...]) -> None:
    layer: Layer = LAYERS[name]().double()
    with torch.no_grad():
        whole = layer(torch.from_numpy(INPUTS))[0].numpy()
    np.testing.assert_allclose(whole, published, atol=1e-5, rtol=0)


def linear(layer: nn.Linear, x: Floats) -> Floats:
    projection: Floats = x @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()
    return projection


def state_space(ssm: DiagonalSsm, inputs: Floats, *, bilinear: bool) -> Floats:
    """y_t = 2 Re Σ_n C_n h_n + D u_t, one number after the other; S4D's equation 2 and its two discretisations (2206.11893)."""
    output = np.zeros_like(inputs)
    for channel in range(inputs.shape[1]):
        step = math.exp(ssm.log_step[channel].item())
        states = [0j] * ssm.frequency.shape[1]
        for place, u in enumerate(inputs[:, channel]):
            for n in range(len(states)):
                rate = complex(-math.exp(ssm.log_decay[channel, n].item()), ssm.frequency[channel, n].item())
                if bilinear:
                    kept, taken = (1 + step * rate / 2) / (1 - step * rate / 2), step / (1 - step * rate / 2)
                else:
                    kept, taken = cmath.exp(step * rate), (cmath.exp(step * rate) - 1) / rate
                states[n] = kept * states[n] + taken * u
            weights = [complex(*pair) for pair in ssm.output[channel].tolist()]
            carried = sum(weight * state for weight, state in zip(weights, states, strict=True))
            output[place, channel] = 2 * complex(carried).real + ssm.skip[channel].item() * u
    return output


def test_h3_is_its_equation_one_number_after_the_other() -> None:
    """y = q ⊙ SSM_diag(SSM_shift(k) ⊙ v), figure 2 of 2212.14052, of weights drawn at random and a longer text."""
    torch.manual_seed(0)
    layer, x = H3(5).double(), torch.randn(1, 40, 5, dtype=torch.float64)
    query, key, value = np.split(linear(layer.query_key_value, x[0].numpy()), 3, axis=1)
    taps = layer.shift.detach().numpy()[:, ::-1]  # the present first
    shifted = np.zeros_like(key)
    for place in range(40):
        for back in range(min(place + 1, taps.shape[1])):
            shifted[place] += taps[:, back] * key[place - back]
    expected = linear(layer.out, query * state_space(layer.ssm, shifted * value, bilinear=True))
    with torch.no_grad():
        np.testing.assert_allclose(layer(x)[0].numpy(), expected, atol=1e-5, rtol=0)


def test_s4_is_its_equation_one_number_after_the_other() -> None:
    """A state space, GELU, and a gated linear map, of weights drawn at random and a longer text."""
    torch.manual_seed(0)
    layer, x = S4(5).double(), torch.randn(1, 40, 5, dtype=torch.float64)
    scanned = state_space(layer.ssm, x[0].numpy(), bilinear=False)
    activated = scanned * 0.5 * (1 + np.vectorize(math.erf)(scanned / math.sqrt(2)))
    passed, gate = np.split(linear(layer.mix, activated), 2, axis=1)
    with torch.no_grad():
        np.testing.assert_allclose(layer(x)[0].numpy(), passed / (1 + np.exp(-gate)), atol=1e-5, rtol=0)
