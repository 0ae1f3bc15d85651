"""An encoder and a decoder of GRUs (Sutskever et al. 2014, Cho et al. 2014), without and with Bahdanau's attention (1409.0473).

Without it the decoder gets the encoder's last state and nothing else: the whole text must fit through one vector. With it,
each step of the decoder looks at all states of the encoder, weighted by what it asks for.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Seq2Seq(nn.Module):
    """``width`` is that of both hidden states. Symbol 0 starts the decoder."""

    def __init__(self, vocabulary: int, width: int, *, attention: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width // 2)
        self.encoder = nn.GRU(width // 2, width, batch_first=True)
        self.decoder = nn.GRUCell(width // 2 + (width if attention else 0), width)
        self.head = nn.Linear(2 * width if attention else width, vocabulary)
        self.asked = nn.Linear(width, width) if attention else None
        if attention:
            self.offered = nn.Linear(width, width, bias=False)
            self.energy = nn.Linear(width, 1, bias=False)

    def align(self, state: Tensor, offered: Tensor) -> Tensor:
        """Bahdanau's alignment (batch, S) of a decoder's state with the encoder's: softmax of vᵀ tanh(W s + U h_j)."""
        assert self.asked is not None
        energies: Tensor = self.energy(torch.tanh(self.asked(state)[:, None] + offered))  # (batch, S, 1)
        return energies[..., 0].softmax(-1)

    def run(self, source: Tensor, given: Tensor | None, length: int) -> tuple[Tensor, Tensor | None]:
        """Logits (batch, length, vocabulary), and the alignments (batch, length, S) where there is attention.

        ``given`` (batch, length): the right symbols, each fed in after its turn (teacher forcing); None: its own choices.
        """
        encoded, last = self.encoder(self.embed(source))  # (batch, S, width)
        state, before = last[0], torch.zeros_like(source[:, 0])
        offered = self.offered(encoded) if self.asked is not None else encoded
        logits, alignments = [], []
        for place in range(length):
            symbol = self.embed(before)
            if self.asked is None:
                state = head_input = self.decoder(symbol, state)
            else:
                alignment = self.align(state, offered)
                context = (alignment[:, None] @ encoded)[:, 0]  # (batch, width)
                state = self.decoder(torch.cat([symbol, context], -1), state)
                head_input = torch.cat([state, context], -1)
                alignments.append(alignment)
            logits.append(self.head(head_input))
            before = logits[-1].argmax(-1) if given is None else given[:, place]
        return torch.stack(logits, 1), torch.stack(alignments, 1) if alignments else None
