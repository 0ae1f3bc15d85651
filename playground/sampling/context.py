"""What the samplers may know of one row besides its logits: the tokens so far and this step's uniforms. Ids only, no text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

IdArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SamplingContext:
    """The history of one row and the state its samplers carry from step to step.

    ``prompt_ids`` count for the repetition penalty, the n-gram ban and DRY; ``generated_ids`` count for every penalty.
    ``xtc_u`` in [0, 1) is this step's uniform for XTC. ``mirostat_mu`` is Mirostat's running ceiling in bits, ``None``
    before the first token (it then starts at twice the target). ``dry_breakers`` are DRY's sequence breakers as
    token ids: one tuple per breaker, which may be longer than one token.
    """

    prompt_ids: tuple[int, ...]
    generated_ids: tuple[int, ...] = ()
    xtc_u: float = 0.0
    mirostat_mu: float | None = None
    dry_breakers: tuple[tuple[int, ...], ...] = ()

    @cached_property
    def all_ids(self) -> IdArray:
        """Prompt and generated ids, in order. Shape (prompt + generated,)."""
        return np.asarray(self.prompt_ids + self.generated_ids, dtype=np.int64)

    @cached_property
    def generated_counts(self) -> tuple[IdArray, IdArray]:
        """The distinct generated ids, ascending, and how often each was generated."""
        return np.unique(np.asarray(self.generated_ids, dtype=np.int64), return_counts=True)


Contexts = Sequence[SamplingContext]  # one for each row of a batch
EMPTY_CONTEXT = SamplingContext(prompt_ids=())
