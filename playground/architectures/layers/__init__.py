"""Layers that mix a text's positions, each in a parallel form and step by step. One file a layer, short enough to read.

Every layer takes ``x`` (batch, T, width). ``read(x)`` gives the outputs of the same shape, computed for all positions at
once, and the state after the last; ``step(x_t, state)`` does the same for one position, (batch, width); ``start(batch)``
is the state before the first. A state is a tuple of tensors whose bytes are all that the layer keeps of the text.
"""

from __future__ import annotations

from collections.abc import Callable

from playground.architectures.layers.attention import Attention
from playground.architectures.layers.gru import Gru
from playground.architectures.layers.h3 import H3
from playground.architectures.layers.layer import Layer
from playground.architectures.layers.mamba2 import Mamba2
from playground.architectures.layers.rwkv import Rwkv
from playground.architectures.layers.s4 import S4

LAYERS: dict[str, Callable[[int], Layer]] = {
    "attention": Attention,
    "gru": Gru,
    "s4": S4,
    "h3": H3,
    "mamba": Mamba2,
    "rwkv": Rwkv,
}
"""By name: what makes a layer of a width."""
