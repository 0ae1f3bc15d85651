"""The text above the bars: what is said of each token."""

from __future__ import annotations

import numpy as np

from playground.charts.text_strip import text_tokens
from playground.engine.fake.engine import FakeEngine
from playground.engine.types import SequenceScore


def test_what_an_engine_does_not_tell_of_a_token_is_said_to_be_unknown() -> None:
    """A server may tell a rank below twenty only, and no entropies."""
    score = SequenceScore(
        (1, 2, 3),
        np.array([np.nan, -0.5, -9], np.float32),
        np.array([-1, 0, -1], np.int32),
        np.full(3, np.nan, np.float32),
    )
    lines = [token.lines for token in text_tokens(FakeEngine().codec, score.ids, 3, (), score)[0]]
    assert "nothing comes before it" in lines[0][1]
    assert lines[1][2] == "rank 1, entropy before it unknown"
    assert lines[2][2] == "rank unknown, entropy before it unknown"
