"""A reward head as a scorer and as a sequence-classification folder: the same scores by three ways."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from playground.engine.api import CancelToken, Engine, Hidden
from playground.engine.factory import make_engine
from playground.engine.fake.engine import FakeEngine
from playground.engine.pieces import finish
from playground.errors import BadInput, ModelRefused
from playground.preferences.heads import HeadStore, find_head
from playground.store.place import DATA_VARIABLE
from playground.testtime.answer_states import answer_ids, read_states
from playground.testtime.registry import parse_spec
from playground.testtime.running import score_now
from playground.testtime.scoring import ScoringContext
from playground.testtime.types import Candidate
from playground.training.reward_head import save_classifier
from tests.models.tiny import save_llama
from tests.testtime.making import candidate

TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
ANSWERS = ("the cat sat", "the hat", "a mat and the hat of the cat")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama whose tokenizer has a chat template."""
    folder = tmp_path_factory.mktemp("base")
    save_llama(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> HeadStore:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    return HeadStore("ann")


def candidates() -> list[Candidate]:
    return [candidate(index=place, text=text) for place, text in enumerate(ANSWERS)]


def context(engine: Engine) -> ScoringContext:
    return ScoringContext(prompt="the mat", engine=engine)


def test_head_scorer_and_saved_folder_give_equal_scores(folder: Path, kept: HeadStore, tmp_path: Path) -> None:
    weights = np.random.default_rng(0).standard_normal(16).astype(np.float32)
    with closing(make_engine(str(folder), "cpu", "float32")) as engine:
        head = kept.add("mine", engine.info.id, weights, votes=7, penalty=1.0)
        (own,) = score_now(candidates(), [parse_spec(f"reward-head:{head.id}")], context(engine))
        ids = [answer_ids(engine, "the mat", text) for text in ANSWERS]
        states = finish(read_states(engine, ids, CancelToken()))
        target = save_classifier(head.model, head.weights, tmp_path / "saved")
        (rule,) = score_now(candidates(), [parse_spec(f"reward:{target}")], context(engine))
    assert (
        not own.problem
        and own.values == pytest.approx((states @ weights).tolist(), abs=1e-5)
        and "7 votes" in own.scores[0].note
    )
    assert rule.values == pytest.approx(own.values, abs=1e-4)
    model = AutoModelForSequenceClassification.from_pretrained(target).eval()
    tokenizer = AutoTokenizer.from_pretrained(target)
    with torch.inference_mode():
        for text, read, value in zip(ANSWERS, ids, own.values, strict=True):
            talk = [{"role": "user", "content": "the mat"}, {"role": "assistant", "content": text}]
            assert tuple(tokenizer.apply_chat_template(talk)["input_ids"]) == read
            assert float(model(torch.tensor([read])).logits[0, 0]) == pytest.approx(value, abs=1e-4)


def test_a_head_is_refused_where_it_does_not_belong(folder: Path, kept: HeadStore, tmp_path: Path) -> None:
    engine = FakeEngine()
    wrong = kept.add("wrong", "another", np.ones(32, dtype=np.float32), votes=1, penalty=1.0)
    good = kept.add("good", "fake", np.ones(32, dtype=np.float32), votes=1, penalty=1.0)
    specs = [parse_spec(f"reward-head:{name}") for name in (wrong.id, good.id, "f" * 32)]
    other, own, gone = score_now(candidates(), specs, context(engine))
    assert "hidden states of another" in other.problem and "no such reward head" in gone.problem
    assert not own.problem and all(value is not None for value in own.values)
    (blind,) = score_now(candidates(), specs[1:2], context(FakeEngine(lacks=frozenset({Hidden}))))
    assert "Hidden states of the layers" in blind.problem
    with pytest.raises(BadInput, match="id of a kept reward head"):
        parse_spec("reward-head:../../etc")
    with pytest.raises(ModelRefused, match="no scoring layer of 3"):
        save_classifier(str(folder), np.ones(3), tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_heads_are_their_owners_and_found_by_their_id(kept: HeadStore) -> None:
    head = kept.add("mine", "fake", np.arange(4.0), votes=2, penalty=0.5)
    assert [one.id for one in kept.heads()] == [head.id] and not HeadStore("bob").heads()
    assert np.array_equal(find_head(head.id).weights, head.weights) and find_head(head.id).penalty == 0.5
    HeadStore("bob").delete(head.id)
    assert find_head(head.id).name == "mine"
    kept.delete(head.id)
    with pytest.raises(BadInput):
        find_head(head.id)
