"""The last layer's state at each text's last token, as the head reads it: what a reward head is fitted to.

Texts are read as for their next tokens (``batched_prefill``), by a runner whose passes end before the head.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from playground.engine.api import CancelToken
from playground.engine.cpu_threads import cpu_threads
from playground.engine.hf.batched_prefill import batched_prefill
from playground.engine.hf.runner import ModelRunner
from playground.engine.hf.state import DecoderState
from playground.engine.pieces import Pieces
from playground.engine.types import TokenIds
from playground.errors import CapabilityMissing
from playground.models.decoding import next_state


class _HeadlessRunner(ModelRunner):
    """Passes of the decoder alone: what the model calls logits are here the states (rows, T, hidden) that its head reads."""

    def forward(
        self,
        rows: Sequence[TokenIds],
        state: DecoderState | None,
        *,
        last_row: bool = False,
        kept: Sequence[int] | None = None,
    ) -> torch.Tensor:
        model = self.loaded.model
        ids = torch.tensor(rows, device=model.device)  # (rows, T)
        with cpu_threads(self._threads_for(ids.numel())):
            output = model.get_decoder()(input_ids=ids, **self._state_inputs(state, ids))
        if state is not None:
            state.value = next_state(output, str(self._decoding.argument), state.value)
            state.length += ids.shape[1]
        states: torch.Tensor = output.last_hidden_state
        return states[:, -1:] if last_row else states if kept is None else states[:, kept]


def last_states(
    runner: ModelRunner, texts: Sequence[TokenIds], cancel: CancelToken
) -> Pieces[tuple[list[torch.Tensor], int]]:
    """The state (hidden,) at the last token of each text, in order, and how many positions were run.

    Raises CapabilityMissing where the model has no decoder of its own behind its head.
    """
    model = runner.loaded.model
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
    if decoder is None or decoder is model:
        raise CapabilityMissing(
            f"{runner.info.name} does not say what its head reads, so its hidden states cannot be used: choose another model."
        )
    return batched_prefill(runner.as_kind(_HeadlessRunner), texts, cancel)
