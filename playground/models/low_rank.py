"""An adapter's factors, read and put beside the linear layers of a base, or into their weights.

The base's own modules and tensors are never changed: what an adapter is on is a tree of modules of its own whose tensors
are the base's. Knows torch; nothing of engines and sessions.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
from torch import nn

from playground.errors import BadInput, ModelCorrupt
from playground.models.adapters import Adapter, LowRank
from playground.models.foreign import foreign_errors
from playground.models.wording import reason_text, shown
from playground.store.adapters import WEIGHTS

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Factors(NamedTuple):
    """A layer's A (rank, inputs) and B (outputs, rank), float32 on the CPU."""

    layer: LowRank
    down: torch.Tensor
    up: torch.Tensor


def read_factors(adapter: Adapter) -> tuple[Factors, ...]:
    """The weights of an adapter. Raises ModelCorrupt where they are gone, or no numbers."""
    from safetensors.torch import load_file

    with foreign_errors(
        lambda error: ModelCorrupt(
            f"The weights of the adapter {shown(adapter.name)} cannot be read ({reason_text(error)}): save it again."
        )
    ):
        tensors = load_file(adapter.folder / WEIGHTS)
        factors = tuple(
            Factors(layer, *(tensors[f"base_model.model.{layer.module}.lora_{side}.weight"].float() for side in "AB"))
            for layer in adapter.layers
        )
    odd = next((one for one in factors if not (one.down.isfinite().all() and one.up.isfinite().all())), None)
    if odd is not None:
        raise ModelCorrupt(
            f"The adapter {shown(adapter.name)} holds what is no number in {shown(odd.layer.module)}: its training went astray; "
            "train it again with a smaller learning rate."
        )
    return factors


class LowRankLinear(nn.Module):
    """A base's linear layer and beside it a low-rank part: W x + strength * scale * B (A x)."""

    def __init__(self, base: nn.Module, factors: Factors, strength: float, device: torch.device) -> None:
        super().__init__()
        self.base = base
        self.strength = strength
        self.down, self.up = (
            nn.Parameter(each.to(device), requires_grad=False) for each in (factors.down, factors.up)
        )  # in float32, as PEFT computes
        self.factor = strength * factors.layer.scale

    @property
    def weight(self) -> torch.Tensor:
        """The base's, for code that asks for its place or format."""
        return cast(torch.Tensor, self.base.weight)

    def forward(self, states: torch.Tensor) -> torch.Tensor:  # (..., inputs) -> (..., outputs)
        result: torch.Tensor = self.base(states)
        if self.factor == 0.0:
            return result
        low = nn.functional.linear(nn.functional.linear(states.float(), self.down), self.up)
        return (result + low * self.factor).to(result.dtype)


def attach(twin: PreTrainedModel, adapter: Adapter, factors: tuple[Factors, ...], strength: float) -> PreTrainedModel:
    """Put the adapter beside the layers of ``twin``, a model's own tree of modules (see ``share``); returns it.

    Raises BadInput where the model has no such layers, or of another size.
    """
    for one in factors:
        layer = target(twin, adapter, one.layer)
        parent, name = _parent(twin, one.layer.module)
        setattr(parent, name, LowRankLinear(layer, one, strength, _device_of(layer)).eval())
    return twin


def merge(twin: PreTrainedModel, adapter: Adapter, factors: tuple[Factors, ...], strength: float) -> PreTrainedModel:
    """The same with W + strength * scale * B A in the layers' place: the layers' weights are there twice then."""
    for one in factors:
        layer = target(twin, adapter, one.layer)
        parent, name = _parent(twin, one.layer.module)
        setattr(parent, name, _merged(layer, one, strength).eval())
    return twin


def merged_bytes(adapter: Adapter, width: int) -> int:
    """What a merged copy of the adapted layers takes, at so many bytes a number."""
    return sum(layer.inputs * layer.outputs for layer in adapter.layers) * width


def _merged(layer: nn.Module, factors: Factors, strength: float) -> nn.Module:
    weight = _weight_of(layer)
    change = (factors.up @ factors.down) * (strength * factors.layer.scale)
    change = (change.T if _is_transposed(layer) else change).to(weight.device)
    merged = nn.Parameter((weight.float() + change).to(weight.dtype), requires_grad=False)
    if type(layer) is nn.Linear or _is_transposed(layer):
        twin = copy.copy(layer)
        twin._parameters = {**layer._parameters, "weight": merged}
        return twin
    plain = nn.Linear(factors.layer.inputs, factors.layer.outputs, bias=False, device="meta")  # was packed
    plain.weight = merged
    plain.register_parameter("bias", cast("nn.Parameter | None", getattr(layer, "bias", None)))
    return plain


def _weight_of(layer: nn.Module) -> torch.Tensor:
    return cast(torch.Tensor, layer.weight).detach()


def share(model: PreTrainedModel) -> PreTrainedModel:
    """A copy of the modules and the config, of whose tensors none is copied (20 ms of a model of 400 modules)."""
    shared = {id(tensor): tensor for module in model.modules() for tensor in _tensors(module)}
    return copy.deepcopy(model, dict(shared))


def _tensors(module: nn.Module) -> Iterator[torch.Tensor]:
    own = (*module._parameters.values(), *module._buffers.values(), *vars(module).values())
    return (value for value in own if isinstance(value, torch.Tensor))


def target(model: PreTrainedModel, adapter: Adapter, layer: LowRank) -> nn.Module:
    """The linear layer that ``layer`` is on, checked. Raises BadInput."""
    if getattr(model, "is_quantized", False):
        raise BadInput(
            "The base's weights are quantised, and an adapter is added to plain ones: choose the base in float32 or bfloat16.",
            "adapter",
        )
    try:
        module = model.get_submodule(layer.module)
    except AttributeError:
        raise BadInput(
            f"The adapter {shown(adapter.name)} is on {shown(layer.module)}, which this base does not have: it was trained on "
            f"another model{_stated(adapter)}; choose that one.",
            "adapter",
        ) from None
    shape = _shape(module)
    if shape is None:
        raise BadInput(
            f"The adapter {shown(adapter.name)} is on {shown(layer.module)}, which is no linear layer: only those can be adapted "
            "here; train it on linear layers.",
            "adapter",
        )
    if shape != (layer.inputs, layer.outputs):
        raise BadInput(
            f"The adapter {shown(adapter.name)} was trained on a layer of {layer.inputs:,} to {layer.outputs:,} numbers and "
            f"{shown(layer.module)} has {shape[0]:,} to {shape[1]:,}: it belongs to another model{_stated(adapter)}; choose "
            "that one.",
            "adapter",
        )
    return cast(nn.Module, module)


def _stated(adapter: Adapter) -> str:
    return f" ({shown(adapter.base)})" if adapter.base else ""


def _shape(module: nn.Module) -> tuple[int, int] | None:
    """(inputs, outputs) of a linear layer, plain, packed for the processor or transposed (GPT-2); None of anything else."""
    names = ("nx", "nf") if _is_transposed(module) else ("in_features", "out_features")
    inputs, outputs = (getattr(module, name, None) for name in names)
    return (inputs, outputs) if isinstance(inputs, int) and isinstance(outputs, int) else None


def _is_transposed(module: nn.Module) -> bool:
    return type(module).__name__ == "Conv1D" and hasattr(module, "nf")


def _device_of(layer: nn.Module) -> torch.device:
    packed = vars(layer).get("packed")
    return cast(torch.Tensor, layer.weight if packed is None else packed).device


def _parent(model: nn.Module, module: str) -> tuple[nn.Module, str]:
    path, _, name = module.rpartition(".")
    return model.get_submodule(path), name
