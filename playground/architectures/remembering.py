"""How each layer remembers, token by token: a small model trained on selective copying reads the reader's own text.

The text is letters among points; the points mean nothing and may come in any number. What the first layer does with each
token is recorded from one pass, step by step: the attention row, the hidden state, Δ, A, B and C, the decays. No page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from playground.architectures.request import LearnRequest, usual_request
from playground.architectures.tasks import ASK, COPIED, NOISE, SYMBOLS
from playground.errors import BadInput

if TYPE_CHECKING:
    import torch

    from playground.architectures.model import SequenceModel

FILE = Path(__file__).parent / "data" / "remembering.safetensors"
VIEWS = {
    "attention": "Attention",
    "gru": "RNN (GRU)",
    "s4": "S4",
    "mamba": "Mamba-2",
    "rwkv": "RWKV-4",
}
"""Learners that have weights in ``FILE``, and what the page calls them."""
LETTERS = "abcdefghijklmnop"
EXAMPLE = "..c..a...f.b......d...e."
MOST_SYMBOLS = 64

Floats = npt.NDArray[np.float32]


def read_symbols(text: str) -> tuple[int, ...]:
    """A text's symbols: points are noise, a to p letters. Raises BadInput for others, none, or too many."""
    shown = "".join(text.lower().split())
    wrong = next((letter for letter in shown if letter != "." and letter not in LETTERS), None)
    if wrong is not None:
        raise BadInput(
            f"The text may hold the letters a to p and points, and {wrong!r} is neither: leave it out.", "text"
        )
    if not 1 <= len(shown) <= MOST_SYMBOLS:
        raise BadInput(f"The text must have 1 to {MOST_SYMBOLS} letters and points, not {len(shown):,}.", "text")
    return tuple(NOISE if letter == "." else 1 + LETTERS.index(letter) for letter in shown)


def spelt(symbols: tuple[int, ...]) -> list[str]:
    """What stands for each symbol on a page: "·" for noise, "?" where an answer is asked for."""
    names = {NOISE: "·", ASK: "?"}
    return [names.get(symbol) or LETTERS[symbol - 1] for symbol in symbols]


def remembering_request(kind: str) -> LearnRequest:
    """How the weights in the file were trained: narrow, so that a picture has few lines."""
    return replace(usual_request("selective-copy", kind), width=32)


@dataclass(frozen=True, slots=True)
class Parts:
    """What one layer did with each token of a text.

    ``grids``: named pictures of shape (lines, T), or (T, T) for one that says how much each position gets of each before
    it; ``lines``: named values (T,) a token; ``rates``: named values (n,) that no token changes. ``recurrence`` and
    ``convolution``: (T, width) of S4's scan, both ways.
    """

    grids: Mapping[str, Floats] = field(default_factory=dict)
    lines: Mapping[str, Floats] = field(default_factory=dict)
    rates: Mapping[str, Floats] = field(default_factory=dict)
    recurrence: Floats | None = None
    convolution: Floats | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """``symbols``: the text and the marks after it. ``answers``: the letters the model gave. ``parts`` of its first layer.

    ``bytes``: of the whole state after each token.
    """

    kind: str
    symbols: tuple[int, ...]
    answers: tuple[int, ...]
    bytes: tuple[int, ...]
    parts: Parts

    @property
    def right(self) -> tuple[int, ...]:
        return tuple(symbol for symbol in self.symbols if symbol not in (NOISE, ASK))


@lru_cache(maxsize=32)
def trace(kind: str, symbols: tuple[int, ...]) -> Trace:
    """One pass over ``symbols`` and a mark for each letter in it, step by step."""
    import torch

    from playground.architectures.model import tensor_bytes

    letters = sum(symbol != NOISE for symbol in symbols)
    read = (*symbols, *[ASK] * (letters or COPIED))
    model = _model(kind)
    states, logits, kept, inputs = model.start(1), [], [], []
    with torch.no_grad():
        for symbol in read:
            token = torch.tensor([symbol])
            inputs.append(model.blocks[0].before_mix(model.embed(token)))  # type: ignore[operator]
            now, states = model.step(token, states)
            logits.append(now[0, 1 : 1 + SYMBOLS])
            kept.append(tensor_bytes(states))
        answers = tuple(int(each.argmax()) + 1 for each in logits[len(symbols) :])
        parts = _RECORDS[kind](model.blocks[0].mix, torch.stack(inputs, 1))  # type: ignore[arg-type]
    return Trace(kind, read, answers, tuple(kept), parts)


@lru_cache(maxsize=8)
def _model(kind: str) -> SequenceModel:
    from safetensors.torch import load_file

    from playground.architectures.learning import make_learner
    from playground.architectures.model import SequenceModel

    model = make_learner(remembering_request(kind))
    assert isinstance(model, SequenceModel)
    prefix = kind + "/"
    weights = {
        name.removeprefix(prefix): each.float() for name, each in load_file(FILE).items() if name.startswith(prefix)
    }
    model.load_state_dict(weights)
    return model.eval().requires_grad_(False)


# -- what each kind of layer is asked: the layer and its inputs (1, T, width) ---------------------------------------------


def _floats(tensor: torch.Tensor) -> Floats:
    return tensor.float().numpy().astype(np.float32)


def _attention(layer: torch.nn.Module, inputs: torch.Tensor) -> Parts:
    from playground.architectures.layers.attention import Attention

    assert isinstance(layer, Attention)
    length, state = inputs.shape[1], layer.start(1)
    grids = [np.full((length, length), np.nan, np.float32) for _head in range(layer.heads)]
    for place in range(length):
        weights, state = layer.weights(inputs[:, place], state)
        for head, grid in enumerate(grids):
            grid[place, : place + 1] = _floats(weights[0, head])
    return Parts(grids={f"head {head + 1}": grid for head, grid in enumerate(grids)})


def _gru(layer: torch.nn.Module, inputs: torch.Tensor) -> Parts:
    from playground.architectures.layers.gru import Gru

    assert isinstance(layer, Gru)
    outputs, _last = layer.read(inputs)
    hidden = _floats(outputs[0])  # (T, width)
    before = np.vstack([np.zeros_like(hidden[:1]), hidden[:-1]])
    return Parts(
        grids={"hidden state": hidden.T.copy()},
        lines={"how far the state moved": np.linalg.norm(hidden - before, axis=1).astype(np.float32)},
    )


def _s4(layer: torch.nn.Module, inputs: torch.Tensor) -> Parts:
    import torch

    from playground.architectures.layers.s4 import S4

    assert isinstance(layer, S4)
    whole, _last = layer.ssm.read(inputs)
    state, steps = layer.ssm.start(1), []
    for place in range(inputs.shape[1]):
        output, state = layer.ssm.step(inputs[:, place], state)
        steps.append(output)
    kept, _taken, _output = layer.ssm.discretised()
    kernel = layer.ssm.kernel(inputs.shape[1])  # (width, T)
    return Parts(
        grids={"kernel: what is left of an input after so many tokens": _floats(kernel)},
        rates={
            "slowest |Ā| of each channel": _floats(kept.abs().amax(-1)),
            "Δ of each channel": _floats(layer.ssm.log_step.exp()),
        },
        recurrence=_floats(torch.stack(steps, 1)[0]),
        convolution=_floats(whole[0]),
    )


def _mamba(layer: torch.nn.Module, inputs: torch.Tensor) -> Parts:
    from playground.architectures.layers.mamba2 import Mamba2

    assert isinstance(layer, Mamba2)
    _gate, step, _inputs, taken, given, _before = layer.parts(inputs, layer.start(1)[0])
    rate = layer.A_log.exp()
    return Parts(
        grids={
            "Δ of each head": _floats(step[0].T),
            "forgotten of the state, 1 - exp(ΔA)": _floats((1 - (-rate * step[0]).exp()).T),
            "B: where it is written": _floats(taken[0].T),
            "C: what is read out": _floats(given[0].T),
        },
        lines={"Δ, mean of the heads": _floats(step[0].mean(-1))},
        rates={"A of each head": -_floats(rate)},
    )


def _rwkv(layer: torch.nn.Module, inputs: torch.Tensor) -> Parts:
    import torch

    from playground.architectures.layers.rwkv import Rwkv

    assert isinstance(layer, Rwkv)
    key, _value, receptance = layer.parts(inputs, torch.zeros_like(inputs[:, 0]))
    return Parts(
        grids={
            "e^k: the weight a token comes in with (of the largest)": _floats((key[0] - key[0].amax(0)).exp().T),
            "receptance: what is let out": _floats(receptance[0].T),
        },
        lines={"key, mean of the channels": _floats(key[0].mean(-1))},
        rates={"kept after one token, e^-w": _floats((-layer.time_decay.exp()).exp())},
    )


_RECORDS = {"attention": _attention, "gru": _gru, "s4": _s4, "mamba": _mamba, "rwkv": _rwkv}
