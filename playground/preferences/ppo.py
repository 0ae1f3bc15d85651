"""What reinforcement learning from a reward takes beside DPO: models in memory and their bytes. Arithmetic alone.

A model that is trained in mixed precision with Adam takes 16 bytes a parameter (2 for its weights, 2 gradient, 12 for the
float32 copy and two moments: Rajbhandari et al. 2020, arXiv 1910.02054), one that only answers 2.
"""

from __future__ import annotations

from dataclasses import dataclass

TRAINED_BYTES, FROZEN_BYTES = 16, 2


@dataclass(frozen=True, slots=True)
class Method:
    """``trained`` and ``frozen``: copies of the model in memory. ``samples``: whether it writes answers meanwhile."""

    name: str
    trained: int
    frozen: int
    samples: bool

    def bytes_of(self, parameters: int) -> int:
        """Weights, gradients and optimiser, without activations."""
        return parameters * (self.trained * TRAINED_BYTES + self.frozen * FROZEN_BYTES)


METHODS = (
    Method("Best-of-N", 0, 2, True),
    Method("DPO", 1, 1, False),
    Method("PPO", 2, 2, True),
)
"""Best-of-N: model and reward model. DPO: policy and reference. PPO: policy and value model, reference and reward model."""
