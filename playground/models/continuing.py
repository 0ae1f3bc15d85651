"""Layers of transformers that forget, or keep to themselves, what they have read: made to go on from a cache.

RecurrentGemma's recurrent blocks keep their states as attributes, one for all texts, and begin several tokens anew. The
scans of Mamba, Falcon-Mamba and Jamba begin at zero wherever they are called with several tokens. Both get what their
caches have a place for, so that a text may be read in pieces, several texts in turns, and rows go on together. Knows the
modules of transformers and no engine; ``decoding`` holds what comes of it against a pass over the whole text.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from transformers import PreTrainedModel
    from transformers.cache_utils import Cache

_SCAN = "mamba_selective_scan"
_Scanned = torch.Tensor | tuple[torch.Tensor, torch.Tensor]  # outputs (rows, inner, T); the last state where asked for
_Scan = Callable[..., _Scanned]
_BEFORE: ContextVar[torch.Tensor | None] = ContextVar("state_before", default=None)  # of the layer that is run


def make_continue(model: PreTrainedModel) -> None:
    """Give the layers of ``model`` that need it a pass that goes on from its cache; others stay as they are."""
    modules = [module for module in model.modules() if type(module).__name__ in _CONTINUED]
    if modules:
        kind = type(modules[0])
        continued = _CONTINUED[kind.__name__](kind)
        for module in modules:
            module.__class__ = continued
    for index, layer in enumerate(getattr(model.base_model, "layers", ())):
        if type(getattr(layer, "temporal_block", None)).__name__ == "ContinuedBlock":
            layer.temporal_block.layer_idx = index


def _continued_block(kind: type[Any]) -> type[Any]:
    class ContinuedBlock(kind):  # type: ignore[misc]  # transformers is not typed
        """The same sums (Griffin, 2402.19427) with the states of convolution and recurrence in the cache."""

        def forward(
            self,
            input_states: torch.Tensor,
            position_ids: torch.Tensor,
            attention_mask: object = None,
            use_cache: bool | None = True,
            past_key_values: Cache | None = None,
            **_: Any,
        ) -> tuple[torch.Tensor, None]:
            new = input_states.shape[1]
            states = past_key_values if use_cache else None
            branch = self.linear_x(input_states).transpose(1, 2)  # (rows, width, T)
            if states is not None:
                branch = states.update_conv_state(branch, self.layer_idx, conv_kernel_size=self.conv1d_width)
            branch = self.conv_1d(branch)[..., : branch.shape[-1]][..., -new:]
            self.rg_lru.recurrent_states = (
                None if states is None else states.get_recurrent_state(self.layer_idx, state_idx=0)
            )
            recurrence = self.rg_lru(branch.transpose(1, 2), position_ids)  # (rows, T, width)
            if states is not None:
                states.update_recurrent_state(self.rg_lru.recurrent_states, self.layer_idx)
            self.rg_lru.recurrent_states = None
            return self.linear_out(recurrence * self.act_fn(self.linear_y(input_states))), None

    return ContinuedBlock


def _continued_mixer(kind: type[Any]) -> type[Any]:
    _continue_scans(sys.modules[kind.__module__])

    class ContinuedMixer(kind):  # type: ignore[misc]
        """The mixer with its cache's state in ``_BEFORE`` for the scan it calls."""

        def forward(self, hidden_states: torch.Tensor, cache_params: Cache | None = None, **how: Any) -> object:
            before = None
            if cache_params is not None and hidden_states.shape[1] > 1:
                before = cache_params.get_recurrent_state(self.layer_idx, state_idx=0)
            token = _BEFORE.set(before)
            try:
                return super().forward(hidden_states, cache_params=cache_params, **how)
            finally:
                _BEFORE.reset(token)

    return ContinuedMixer


def _continue_scans(modeling: ModuleType) -> None:
    """Wrap a module's scan, once: without a state before it, it does what it did."""
    names = vars(modeling)
    if not hasattr(names[_SCAN], "continues"):
        names[_SCAN] = _continued_scan(names[_SCAN])


def _continued_scan(scan: _Scan) -> _Scan:
    @wraps(scan)
    def continued(
        x: torch.Tensor, dt: torch.Tensor, A: torch.Tensor, B: torch.Tensor, C: torch.Tensor, **how: Any
    ) -> _Scanned:
        """The recurrence h_t = exp(A dt_t) h_(t-1) + B_t dt_t x_t, y_t = C_t h_t (2312.00752) is linear in h_0.

        So what a state (rows, inner, state) adds to a scan from zero is C_t exp(A (dt_1 + … + dt_t)) h_0. Shapes: ``dt``
        (rows, inner, T), ``A`` (inner, state), ``C`` (rows, state, T).
        """
        scanned, before = scan(x, dt, A, B, C, **how), _BEFORE.get()
        if before is None or isinstance(scanned, torch.Tensor):
            return scanned
        outputs, last = scanned
        steps = functional.softplus(dt + how["delta_bias"].to(dt.dtype)[..., None])
        decayed = torch.exp(A[None, :, None, :] * steps.cumsum(-1)[..., None]) * before[:, :, None, :]
        added = torch.einsum("bitn,bnt->bit", decayed, C.to(decayed.dtype)) * functional.silu(how["z"])
        return outputs + added.to(outputs.dtype), last + decayed[:, :, -1].to(last.dtype)

    continued.continues = True  # type: ignore[attr-defined]
    return continued


_CONTINUED = {
    "RecurrentGemmaRecurrentBlock": _continued_block,
    "MambaMixer": _continued_mixer,
    "FalconMambaMixer": _continued_mixer,
    "JambaMambaMixer": _continued_mixer,
}
"""Layers by the name of their class, and what makes a class that goes on of it."""
