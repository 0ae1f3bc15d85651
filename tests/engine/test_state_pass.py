"""What the head reads at a text's end, against transformers' own pass; remembered, and refused where it cannot be told."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
import torch

from playground.engine.api import CancelToken, Hidden
from playground.engine.facets import require
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.pieces import finish
from playground.engine.serving.caching import CachedEngine
from playground.errors import BadPrompt, Cancelled
from tests.engine.small import small_loaded

TEXTS = [tuple(range(5, 5 + n)) for n in (3, 9, 4)] + [(5, 6, 7, 40, 41), (9,)]


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma3-hybrid", "mamba"])
def test_states_are_those_of_one_plain_pass(kind: str) -> None:
    loaded = small_loaded(kind, has_chat_template=False, eos_token_ids=())
    with closing(TransformersEngine(loaded)) as engine:
        engine.next_logits(TEXTS[0])  # a known prefix of others
        states = finish(engine.last_states_in_pieces(TEXTS))
        with torch.inference_mode():
            for ids, state in zip(TEXTS, states, strict=True):
                whole = loaded.model.get_decoder()(torch.tensor([ids])).last_hidden_state[0, -1]
                np.testing.assert_allclose(state, whole.float().numpy(), atol=2e-4, rtol=1e-3)
        again = engine.next_logits(TEXTS[1]).logits
        fresh = small_loaded(kind, has_chat_template=False, eos_token_ids=())
        with closing(TransformersEngine(fresh)) as other:  # what was read headless is a good prefix for what follows
            np.testing.assert_allclose(again, other.next_logits(TEXTS[1]).logits, atol=2e-4, rtol=1e-3)


def test_they_are_remembered_and_refused_as_texts_are() -> None:
    inner = FakeEngine()
    engine = CachedEngine(inner)
    facet = require(engine, Hidden)
    first = finish(facet.last_states_in_pieces(TEXTS[:2]))
    calls = len(inner.calls)
    again = finish(facet.last_states_in_pieces([*TEXTS[:2], TEXTS[0]]))
    assert len(inner.calls) == calls == 2 and np.array_equal(again[2], first[0]) and first[0].shape == (32,)
    with pytest.raises(BadPrompt):
        finish(facet.last_states_in_pieces([()]))
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        finish(facet.last_states_in_pieces([(1, 2)], cancel=cancel))
