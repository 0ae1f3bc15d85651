"""One position under the lamp: ranks, the draw, the cut-off and DRY's breakers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from playground.engine.fake.codec import FakeCodec
from playground.inspection.next_token import (
    candidate,
    kept_prefix,
    top_candidates,
)
from playground.sampling.chain import examine
from playground.sampling.draw import UniformStream
from playground.sampling.settings import SamplerSettings

ROWS = hnp.arrays(np.float32, st.integers(1, 60), elements=st.sampled_from([-3.0, -1.0, 0.0, 0.5, 2.0, 4.0]))


@given(ROWS, st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_the_draw_is_the_seeds_and_falls_on_a_kept_token(row: np.ndarray, seed: int, step: int) -> None:
    view = examine(row, SamplerSettings(top_k=3), generated_ids=[0] * step, seed=seed)
    assert view.draw.u == UniformStream(seed).at(step) and view.step == step
    assert view.trace.final_probs[view.draw.id] > 0
    assert candidate(view, view.draw.id, None).kept


@given(ROWS, st.floats(0, 1), st.floats(0.01, 1))
def test_kept_prefix_is_a_count_only_where_the_kept_are_the_likeliest(
    row: np.ndarray, top_p: float, typical_p: float
) -> None:
    view = examine(row, SamplerSettings(top_p=top_p, typical_p=typical_p))
    count, kept = kept_prefix(view), view.trace.removed_by < 0
    likeliest = np.sort(row)[::-1][: int(kept.sum())]
    if count is None:
        assert sorted(row[kept].tolist()) != sorted(likeliest.tolist())
    else:
        assert count == kept.sum() and sorted(row[kept].tolist()) == sorted(likeliest.tolist())


def test_candidates_say_text_rank_and_the_stage_that_removed_them() -> None:
    codec = FakeCodec()
    row = np.zeros(273, dtype=np.float32)
    row[257], row[258] = 5.0, 4.0
    first, second = top_candidates(examine(row, SamplerSettings(top_k=1)), codec, 2)
    assert (first.id, first.text, first.rank, first.kept, first.removed_by) == (257, " Paris", 0, True, None)
    assert (second.text, second.rank, second.removed_by, second.final_prob) == (" London", 1, "top_k", 0.0)


@pytest.mark.parametrize("u", [0.0, 0.5, 0.999999])
def test_a_given_random_number_replaces_the_seeds(u: float) -> None:
    assert examine(np.zeros(4, dtype=np.float32), SamplerSettings(), u=u).draw.id == int(u * 4)
