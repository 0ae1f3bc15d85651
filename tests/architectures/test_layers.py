"""Every layer's parallel form against its own steps, and against implementations that are not ours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import AutoModelForCausalLM, Mamba2Config, RwkvConfig

from playground.architectures.layers import LAYERS
from playground.architectures.layers.mamba2 import Mamba2
from playground.architectures.layers.rwkv import Rwkv
from playground.architectures.layers.s4 import DiagonalSsm
from playground.architectures.model import SequenceModel, tensor_bytes
from playground.architectures.seq2seq import Seq2Seq

WIDTH, LENGTH = 16, 21


@pytest.mark.parametrize("name", LAYERS)
def test_step_by_step_gives_what_all_at_once_gives(name: str) -> None:
    torch.manual_seed(0)
    layer, x = LAYERS[name](WIDTH), torch.randn(2, LENGTH, WIDTH)
    with torch.no_grad():
        whole, last = layer.read(x)
        state, steps = layer.start(2), []
        for place in range(LENGTH):
            output, state = layer.step(x[:, place], state)
            steps.append(output)
        torch.testing.assert_close(torch.stack(steps, 1), whole, atol=1e-5, rtol=1e-5)
        then = torch.randn(2, WIDTH)  # the two states go on alike, in whatever units they are kept
        torch.testing.assert_close(layer.step(then, last)[0], layer.step(then, state)[0], atol=1e-5, rtol=1e-5)
    assert tensor_bytes(last) == tensor_bytes(state)


@pytest.mark.parametrize("name", LAYERS)
def test_what_comes_later_changes_nothing_before(name: str) -> None:
    torch.manual_seed(0)
    layer, x = LAYERS[name](WIDTH), torch.randn(1, LENGTH, WIDTH)
    with torch.no_grad():
        torch.testing.assert_close(layer(x)[:, :9], layer(x[:, :9]), atol=1e-5, rtol=1e-5)


def test_the_state_space_is_scipys() -> None:
    """One channel as a continuous system, discretised and run by scipy."""
    from scipy.signal import cont2discrete, dlsim

    torch.manual_seed(0)
    ssm, u = DiagonalSsm(3, size=4), torch.randn(1, 30, 3)
    with torch.no_grad():
        outputs, _last = ssm.read(u)
    rate = (-ssm.log_decay.exp() + 1j * ssm.frequency).detach().numpy()
    output = torch.view_as_complex(ssm.output).detach().numpy()
    for channel in range(3):
        both = np.concatenate([rate[channel], rate[channel].conj()])  # a real system: with the conjugates
        weights = np.concatenate([output[channel], output[channel].conj()])
        a, b, c, d = _real(both, weights)
        step = float(ssm.log_step.detach().exp()[channel])
        system = cont2discrete((a, b, c, d), step, method="zoh")
        # ours applies an input to the state that is read at once: scipy's output one step later
        _times, response, _states = dlsim(system, np.append(u[0, :, channel].numpy(), 0.0))
        expected = response[1:, 0] + float(ssm.skip.detach()[channel]) * u[0, :, channel].numpy()
        np.testing.assert_allclose(outputs[0, :, channel].numpy(), expected, atol=1e-4)


def _real(
    rates: npt.NDArray[np.complex128], weights: npt.NDArray[np.complex128]
) -> tuple[npt.NDArray[np.float64], ...]:
    """Σ w_n / (s - a_n) as real matrices."""
    half = len(rates) // 2
    size = 2 * half
    a, b, c = np.zeros((size, size)), np.zeros((size, 1)), np.zeros((1, size))
    for n in range(half):
        re, im = rates[n].real, rates[n].imag
        a[2 * n : 2 * n + 2, 2 * n : 2 * n + 2] = [[re, -im], [im, re]]
        b[2 * n] = 1.0
        c[0, 2 * n : 2 * n + 2] = [2 * weights[n].real, -2 * weights[n].imag]
    return a, b, c, np.zeros((1, 1))


def test_s4_as_a_convolution_is_s4_as_a_recurrence() -> None:
    torch.manual_seed(1)
    ssm, u = DiagonalSsm(8), torch.randn(2, 200, 8)
    with torch.no_grad():
        whole, last = ssm.read(u)
        state, steps = ssm.start(2), []
        for place in range(200):
            output, state = ssm.step(u[:, place], state)
            steps.append(output)
    assert (torch.stack(steps, 1) - whole).abs().max() < 1e-5
    torch.testing.assert_close(last, state, atol=1e-5, rtol=1e-5)


def test_mamba_2_is_transformers() -> None:
    config = Mamba2Config(
        vocab_size=20, hidden_size=WIDTH, num_hidden_layers=1, state_size=16, num_heads=4, head_dim=8, n_groups=1
    )
    torch.manual_seed(0)
    theirs = AutoModelForCausalLM.from_config(config).eval().backbone.layers[0].mixer
    ours, x = Mamba2(WIDTH), torch.randn(2, LENGTH, WIDTH)
    ours.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-5)


def test_rwkv_is_transformers() -> None:
    config = RwkvConfig(vocab_size=20, hidden_size=WIDTH, num_hidden_layers=2, attention_hidden_size=WIDTH)
    torch.manual_seed(0)
    theirs = AutoModelForCausalLM.from_config(config).eval().rwkv.blocks[0].attention
    with torch.no_grad():
        theirs.key.weight.mul_(5)
    ours, x = Rwkv(WIDTH), torch.randn(2, LENGTH, WIDTH)
    ours.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x)[0], atol=1e-5, rtol=1e-5)


def test_attention_is_torchs() -> None:
    """Without rotation (one position is turned by nothing) and with torch's own module on the same weights."""
    torch.manual_seed(0)
    layer = LAYERS["attention"](WIDTH)
    x = torch.randn(2, 1, WIDTH)
    reference = torch.nn.MultiheadAttention(WIDTH, 2, bias=False, batch_first=True)
    reference.load_state_dict(
        {"in_proj_weight": layer.query_key_value.weight, "out_proj.weight": layer.out.weight}  # type: ignore[union-attr]
    )
    with torch.no_grad():
        torch.testing.assert_close(layer(x), reference(x, x, x)[0], atol=1e-5, rtol=1e-5)


def test_bahdanaus_alignments_sum_to_one_and_are_his() -> None:
    torch.manual_seed(0)
    model = Seq2Seq(10, 8, attention=True)
    source = torch.randint(1, 10, (3, 7))
    with torch.no_grad():
        _logits, alignments = model.run(source, None, 5)
        assert alignments is not None and alignments.shape == (3, 5, 7)
        torch.testing.assert_close(alignments.sum(-1), torch.ones(3, 5))
        encoded, last = model.encoder(model.embed(source))
        assert model.asked is not None
        w, b, u, v = (
            each.numpy() for each in (model.asked.weight, model.asked.bias, model.offered.weight, model.energy.weight)
        )
        for row in range(3):  # equation 6 and A.1.2 of 1409.0473, written out
            energies = np.array([v[0] @ np.tanh(w @ last[0, row].numpy() + b + u @ h) for h in encoded[row].numpy()])
            expected = np.exp(energies - energies.max()) / np.exp(energies - energies.max()).sum()
            np.testing.assert_allclose(alignments[row, 0].numpy(), expected, atol=1e-6)


def test_a_model_of_layers_goes_on_from_its_states() -> None:
    torch.manual_seed(0)
    model, ids = SequenceModel(12, WIDTH, ("mamba", "attention", "s4")), torch.randint(12, (2, 9))
    with torch.no_grad():
        whole, _states = model.read(ids)
        _first, states = model.read(ids[:, :-1])
        after, _states = model.step(ids[:, -1], states)
    torch.testing.assert_close(after, whole[:, -1], atol=1e-5, rtol=1e-5)
