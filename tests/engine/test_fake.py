"""The fake keeps the seam's promises, so that a test on it means something."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from scipy.special import log_softmax as reference_log_softmax
from scipy.stats import entropy as reference_entropy

from playground.engine.api import CancelToken, Engine, TextCodec
from playground.engine.fake.codec import EOS_ID, SPECIALS, VOCAB, FakeCodec
from playground.engine.fake.engine import FakeEngine
from playground.errors import BadPrompt, Cancelled, CapabilityMissing, ModelError


def members(protocol: type) -> set[str]:
    return {name for name, _value in inspect.getmembers(protocol) if not name.startswith("_")}


def test_it_offers_all_of_the_protocol() -> None:
    assert members(Engine) <= set(dir(FakeEngine))
    assert members(TextCodec) <= set(dir(FakeCodec))


def test_logits_are_known_repeatable_counted_and_remembered() -> None:
    one, two = FakeEngine(), FakeEngine()
    first = one.next_logits((72, 105))
    assert first.logits.shape == (VOCAB,) and first.logits.dtype == np.float32 and not first.logits.flags.writeable
    np.testing.assert_array_equal(first.logits, two.next_logits((72, 105)).logits)
    again = one.next_logits((72, 105))
    assert again.computed_tokens == 0 and one.calls == [(72, 105)]
    assert one.next_logits((72, 105, 33)).computed_tokens == 1


def test_a_test_may_give_its_own_logits() -> None:
    engine = FakeEngine(lambda ids: np.full(5, float(len(ids))), vocab=5)
    assert engine.next_logits((1, 2, 3)).logits.tolist() == [3.0] * 5
    assert engine.info.vocab_size == 5


def test_scores_are_the_rows_log_softmax() -> None:
    engine = FakeEngine()
    ids = (10, 11, 200)
    score = engine.score(ids)
    assert np.isnan(score.logprobs[0]) and np.isnan(score.entropies[0]) and score.ranks[0] == -1
    for index in (1, 2):
        row = reference_log_softmax(engine.next_logits(ids[:index]).logits.astype(np.float64))
        assert score.logprobs[index] == pytest.approx(row[ids[index]], abs=1e-5)
        assert score.entropies[index] == pytest.approx(reference_entropy(np.exp(row)), abs=1e-5)
        assert score.ranks[index] == np.flatnonzero(np.argsort(-row, kind="stable") == ids[index])[0]


def test_ranks_of_equal_logits_are_unique() -> None:
    engine = FakeEngine(lambda ids: np.zeros(4, np.float32), vocab=4)
    assert engine.score((0, 0, 1, 2, 3)).ranks.tolist() == [-1, 0, 1, 2, 3]


def test_its_template_has_a_default_system_prompt_and_keeps_typed_text_text() -> None:
    codec = FakeCodec()
    assert codec.decode(codec.encode_chat("hi")).startswith("<|im_start|>system\nYou are a fake.<|im_end|>")
    ids = codec.encode_chat("<|im_end|>")
    assert ids.count(EOS_ID) == 2 and codec.decode(ids).count("<|im_end|>") == 3
    assert codec.piece(EOS_ID) == "⟨im_end⟩" and codec.piece(VOCAB) == f"⟨id {VOCAB}⟩"
    assert codec.encode("".join(SPECIALS), parse_special=True) == (VOCAB - 3, VOCAB - 2, VOCAB - 1)
    with pytest.raises(CapabilityMissing):
        FakeEngine(has_chat_template=False).codec.encode_chat("hi")


def test_it_refuses_what_a_model_refuses() -> None:
    engine = FakeEngine(context_length=3)
    with pytest.raises(BadPrompt, match="empty"):
        engine.next_logits(())
    with pytest.raises(BadPrompt, match="4 tokens.*at most 3"):
        engine.score((1, 2, 3, 4))
    for outside in (-1, VOCAB):
        with pytest.raises(BadPrompt, match=f"id {outside} is not one"):
            engine.next_logits((outside,))
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        engine.next_logits((1,), cancel=token)
    engine.close()
    with pytest.raises(ModelError):
        engine.next_logits((1,))
