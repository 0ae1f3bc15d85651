"""Settings and rows for the tests of reach, drawn by hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from playground.sampling.orders import ORDERS
from playground.sampling.settings import SamplerSettings

TRUNCATIONS: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.sampled_from([0, 0.1, 0.5, 0.8, 1.5, 3]),
    "top_k": st.integers(1, 12),
    "top_p": st.sampled_from([0, 0.1, 0.5, 0.75, 0.9, 0.99]),
    "min_p": st.sampled_from([0.01, 0.1, 0.5, 1]),
    "epsilon_cutoff": st.sampled_from([1e-3, 0.05, 0.3]),
    "eta_cutoff": st.sampled_from([1e-3, 0.05, 0.3]),
    "top_n_sigma": st.sampled_from([0, 0.5, 1, 2]),
    "top_h": st.sampled_from([0.1, 0.4, 0.9]),
}
OTHERS: dict[str, st.SearchStrategy[Any]] = {
    "typical_p": st.sampled_from([0.1, 0.5, 0.9]),
    "dynatemp_range": st.sampled_from([0.3, 1]),
    "repetition_penalty": st.sampled_from([1.2, 2]),
    "frequency_penalty": st.sampled_from([-0.5, 1.5]),
    "presence_penalty": st.sampled_from([0.5]),
    "no_repeat_ngram_size": st.integers(1, 3),
    "dry_multiplier": st.sampled_from([0.8]),
    "logit_bias": st.sampled_from([{3: 5.0}, {0: -100.0}]),
}


@st.composite
def some_settings(draw: st.DrawFn, kinds: dict[str, st.SearchStrategy[Any]]) -> SamplerSettings:
    """Up to four parameters of ``kinds``, in one of the engines' orders or another."""
    names = draw(st.lists(st.sampled_from(sorted(kinds)), unique=True, max_size=4))
    order = draw(st.sampled_from([*ORDERS.values()]) | st.permutations(ORDERS["hf"]).map(tuple))
    return SamplerSettings(order=order, **{name: draw(kinds[name]) for name in names})


def rows_and_reference(seed: int, *, vocab: int, length: int) -> tuple[npt.NDArray[np.float32], tuple[int, ...]]:
    """Rows of logits, some tied, some with tokens that cannot come; and a reference of mostly likely tokens."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, rng.choice([0.3, 2, 5]), size=(length, vocab)).astype(np.float32)
    if seed % 3 == 0:
        rows = np.round(rows)  # ties
    if seed % 4 == 0:
        rows[:, rng.random(vocab) < 0.2] = -np.inf
        rows[:, 0] = 0
    ranks = np.minimum(rng.geometric(0.3, size=length) - 1, vocab - 1)
    reference = tuple(int(np.argsort(-row, kind="stable")[rank]) for row, rank in zip(rows, ranks, strict=True))
    return rows, reference
