"""A model along references: the rows that a map holds are the model's, read in turns, and never more than fit."""

from __future__ import annotations

import numpy as np
import pytest

from playground.engine.fake.engine import FakeEngine
from playground.engine.pieces import finish
from playground.errors import BadInput
from playground.room.limits import Limits
from playground.sampling.chain import trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.settings import SamplerSettings
from playground.tuning import reach_map
from playground.tuning.examples import Example
from playground.tuning.following import follow_reference, read_reach, read_references
from playground.tuning.reach_map import ReachMap

EXAMPLES = [Example("ab", reference="cdefg"), Example("hello", reference=" you")]


def test_a_map_over_a_models_rows_is_what_following_it_gives() -> None:
    engine = FakeEngine()
    references = finish(read_references(engine, EXAMPLES, chat=False))
    settings = SamplerSettings(temperature=0.8, top_p=0.7, repetition_penalty=1.3, dry_multiplier=0.8)
    (cell,) = ReachMap(references).look([settings])
    for example, mapped, reference in zip(EXAMPLES, cell.references, references, strict=True):
        prompt, followed = follow_reference(engine, example, settings, chat=False)
        assert (
            reference.prompt_ids == prompt and mapped.ids == followed.ids and mapped.removed_by == followed.removed_by
        )
        np.testing.assert_allclose(mapped.logprobs, followed.logprobs, atol=1e-3)


def test_others_have_turns_between_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    assert sum(1 for _turn in read_references(engine, EXAMPLES, chat=False)) == 3 + 2
    monkeypatch.setattr(reach_map, "MOST_BYTES", 1000)
    asked = len(engine.calls)
    with pytest.raises(BadInput, match="choose fewer or shorter"):
        finish(read_references(engine, EXAMPLES, chat=False))
    assert len(engine.calls) == asked


def test_examples_with_and_without_references_are_read_once_for_all_settings() -> None:
    engine = FakeEngine(context_length=60)
    examples = [EXAMPLES[0], Example("no reference"), Example("x" * 100), Example("y", system="brief"), EXAMPLES[1]]
    shares = []
    pieces = read_reach(engine, examples, chat=False)
    while True:
        try:
            shares.append(next(pieces))
        except StopIteration as end:
            held = end.value
            break
    progress = [share for share in shares if share is not None]
    assert progress == sorted(progress) and progress[-1] == 1
    assert held.numbers == (0, 4) and held.opened == (0, 1, 4) and set(held.problems) == {2, 3}
    assert "reads at most 60" in held.problems[2] and "as a chat" in held.problems[3]
    assert held.along is not None and held.openings is not None
    assert held.along.references[1].ids == finish(read_references(engine, [EXAMPLES[1]], chat=False))[0].ids
    settings = SamplerSettings(temperature=0.5, top_k=3)
    (cell,) = held.openings.look([settings])
    for number, own in zip(held.opened, cell.references, strict=True):
        row = engine.next_logits(engine.codec.encode(examples[number].prompt)).logits
        likeliest = int(row.argmax())
        assert own.ids == (likeliest,)
        chain = trace_row(row, settings, SamplingContext(()))
        np.testing.assert_allclose(np.exp(own.logprobs[0]), chain.final_probs[likeliest], rtol=1e-3)
        np.testing.assert_allclose(own.choices[0], np.exp(chain.final_entropy), rtol=1e-3)
    width = 4 * engine.info.vocab_size
    assert held.rows_bytes == width * (5 + 4 + 3)


def test_a_visitor_s_limit_leaves_out_what_is_longer() -> None:
    engine, limits = FakeEngine(), Limits(prompt_tokens=8)
    examples = [EXAMPLES[0], Example("x" * 50)]
    held = finish(read_reach(engine, examples, chat=False, admit=limits.check_prompt))
    assert held.numbers == (0,) and "at most 8 tokens" in held.problems[1]


def test_only_unreadable_examples_hold_nothing() -> None:
    held = finish(read_reach(FakeEngine(context_length=20), [Example("x" * 50)], chat=False))
    assert held.along is None and held.openings is None and list(held.problems) == [0] and held.rows_bytes == 0
