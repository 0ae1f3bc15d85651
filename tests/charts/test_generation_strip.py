"""The strip of a generated text: what is shown while it grows is what is shown of the whole."""

from __future__ import annotations

from dataclasses import replace

from playground.charts.generation_strip import GrowingTokens, path_tokens
from playground.engine.fake.engine import FakeEngine
from tests.generation.test_document import make_run


def test_a_growing_text_shows_what_the_whole_one_does() -> None:
    run, codec = make_run(), FakeEngine().codec
    growing, whole = GrowingTokens(), run.tree
    for scale, count in (("rank", 0), ("rank", 2), ("rank", 6), ("entropy", 6), ("entropy", 3)):
        cut = whole.put(replace(whole[0], steps=whole[0].steps[:count]))
        expected = path_tokens(run, cut, 0, codec, scale, brief=True)
        assert growing.look(run, cut, 0, codec, scale) == expected and len(expected) == count
    full = path_tokens(run, whole, 0, codec, "rank")
    brief = path_tokens(run, whole, 0, codec, "rank", brief=True)
    assert [token.lines[:2] for token in full] == [token.lines for token in brief]
