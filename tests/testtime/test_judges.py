"""Scorers that ask a model: the judge on known logits, tiny reward models on disk, the sentence encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    LlamaConfig,
    LlamaForSequenceClassification,
)

from playground.engine.api import CancelToken
from playground.engine.fake.codec import FakeCodec
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.types import FloatArray
from playground.errors import (
    BadInput,
    Cancelled,
    ModelCorrupt,
    ModelError,
    ModelNotFound,
    ModelRefused,
    ModelTooLarge,
    PlaygroundError,
)
from playground.models import encoders, reward
from playground.models.encoders import encoder_folder, load_sentence_encoder
from playground.models.hardware import Hardware
from playground.models.reward import load_reward_model
from playground.testtime import batching, judges
from playground.testtime.judges import JUDGE_TEMPLATES, fill, judge_ids
from playground.testtime.registry import parse_spec
from playground.testtime.running import score_now
from playground.testtime.scoring import ScoringContext
from playground.testtime.types import ScoreColumn
from tests.models.tiny import VOCABULARY, save_llama, tiny_tokenizer
from tests.testtime.making import texts

# -- the judge -----------------------------------------------------------------------------------------------------------


def judged(engine: FakeEngine, *given: str, template: str = "judge", prompt: str = "2 + 2?") -> ScoreColumn:
    return score_now(texts(*given), [parse_spec(template)], ScoringContext(prompt, engine=engine))[0]


def agreeing_engine(**options: Any) -> FakeEngine:
    """Says Yes to what ends with an even id before the template's end, and No to the rest."""
    plain = FakeEngine(**options)
    yes, no = plain.codec.encode("Yes"), plain.codec.encode("No")

    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = np.zeros(plain.info.vocab_size, dtype=np.float32)
        liked = plain.codec.encode("4")[0] in ids[-150:]
        row[yes[0]], row[no[0]] = (9.0, 5.0) if liked else (5.0, 9.0)
        return row

    return FakeEngine(logits, **options)


@pytest.mark.parametrize("chat", [True, False])
def test_the_judge_is_the_probability_of_yes(chat: bool) -> None:
    engine = agreeing_engine(has_chat_template=chat)
    column = judged(engine, "4", "five")
    row = engine.next_logits(judge_ids(engine, fill(JUDGE_TEMPLATES["correct"], "2 + 2?", "4"))).logits.astype(
        np.float64
    )
    probs = np.exp(row) / np.exp(row).sum()
    spellings = ("Yes", " Yes", "yes", " yes", "YES", " YES")
    others = {engine.codec.encode(w)[0] for w in ("No", " No", "no", " no", "NO", " NO")}
    expected = sum(probs[i] for i in {engine.codec.encode(word)[0] for word in spellings} - others)
    assert column.scores[0].value == pytest.approx(expected, rel=1e-5)
    assert [score.valid for score in column.scores] == [True, False]


def test_equal_texts_are_judged_once() -> None:
    engine = agreeing_engine()
    judged(engine, "4", "4", "4")
    assert len(engine.calls) == 1


ANSWERS = ("Paris", "It is Paris, of course.", "", "Lyon " * 30, "Paris", "A green cow", "Rome or Paris " * 9, "x")


def one_by_one(engine: TransformersEngine, given: tuple[str, ...]) -> list[float]:
    """P(Yes) of each text by itself, straight from ``next_logits``: no group, no filling."""
    yes = {ids[0] for word in judges.YES if len(ids := engine.codec.encode(word)) == 1}
    no = {ids[0] for word in judges.NO if len(ids := engine.codec.encode(word)) == 1}
    shares = []
    for text in given:
        row = engine.next_logits(judge_ids(engine, fill(JUDGE_TEMPLATES["correct"], "Capital?", text))).logits
        probs = torch.tensor(row, dtype=torch.float64).softmax(-1)
        shares.append(float(probs[sorted(yes - no)].sum()))
    return shares


@pytest.mark.model
def test_judged_together_is_judged_one_by_one(
    bundled_engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = one_by_one(TransformersEngine(bundled_engine.loaded), ANSWERS)
    for together in (512, 60):
        monkeypatch.setattr(batching, "READ_POSITIONS", together)
        fresh = TransformersEngine(bundled_engine.loaded)
        column = score_now(texts(*ANSWERS), [parse_spec("judge")], ScoringContext("Capital?", engine=fresh))[0]
        np.testing.assert_allclose(np.array(column.values, float), expected, atol=1e-5, rtol=0)


def test_texts_are_judged_in_groups_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = agreeing_engine()
    judged(engine, *[f"answer {number:02}" for number in range(40)])
    assert sum(engine.batched_prefill) == 40 and max(engine.batched_prefill) == 7  # 7 ends of 68 tokens
    monkeypatch.setattr(judges, "usable_bytes", lambda info: 0)
    tight = agreeing_engine()
    judged(tight, "4", "five", "six")
    assert tight.batched_prefill == [1, 1, 1], "where nothing fits each is tried by itself"


def test_judging_is_cancelled_between_groups() -> None:
    cancel, engine = CancelToken(), agreeing_engine()
    context = ScoringContext("2 + 2?", engine=engine, cancel=cancel)
    run = judges.make_judge(None)(texts(*[f"answer {number:03}" for number in range(200)]), context)
    next(run)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(run)
    assert len(engine.batched_prefill) == 1


def test_a_start_token_is_neither_yes_nor_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """Llama's tokenizer puts one before every text: taken for the answer's first token, Yes and No would be the same."""
    encode = FakeCodec.encode
    monkeypatch.setattr(
        FakeCodec,
        "encode",
        lambda self, text, parse_special=False: (*self.start_ids, *encode(self, text, parse_special=parse_special)),
    )
    yes, no = encode(FakeCodec(), "Yes"), encode(FakeCodec(), "No")

    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = np.zeros(FakeEngine().info.vocab_size, dtype=np.float32)
        row[yes[0]], row[no[0]] = 9.0, 5.0
        return row

    (score,) = judged(FakeEngine(logits), "4").scores
    assert score.valid is True and score.value == pytest.approx(np.exp(9) / (np.exp(9) + np.exp(5) + 271), rel=0.05)


def test_a_placeholder_inside_a_text_stays_text() -> None:
    assert fill("{prompt} / {answer}", "{answer}", "{prompt}") == "{answer} / {prompt}"
    engine = agreeing_engine()
    column = judged(engine, "4", template="judge:Is {answer} good?")
    assert engine.calls[0] == engine.codec.encode_chat("Is 4 good?") and column.problem == ""


def test_an_answer_too_long_to_judge_is_said() -> None:
    column = judged(agreeing_engine(context_length=64), "4" * 500)
    assert column.scores[0].value is None and column.scores[0].note


@pytest.mark.model
def test_the_bundled_model_judges(bundled_engine: TransformersEngine) -> None:
    wanted = parse_spec("judge")
    context = ScoringContext("What is the capital of France?", engine=bundled_engine)
    column = score_now(texts("Paris", "A green cow"), [wanted], context)[0]
    assert all(score.value is not None and 0 < score.value < 1 for score in column.scores)


# -- reward models -------------------------------------------------------------------------------------------------------


def save_classifier(folder: Path, labels: int = 1, **changes: Any) -> LlamaForSequenceClassification:
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        pad_token_id=0,
        num_labels=labels,
        **changes,
    )
    model = LlamaForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return model


def test_a_reward_is_the_logit_of_the_head(tmp_path: Path) -> None:
    model, tokenizer = save_classifier(tmp_path), tiny_tokenizer()
    column = score_now(texts("the cat", "the hat"), [parse_spec(f"reward:{tmp_path}")], ScoringContext("sat on"))[0]
    for score, text in zip(column.scores, ("the cat", "the hat"), strict=True):
        read = tokenizer("sat on", text, return_tensors="pt")
        assert score.value == pytest.approx(model(**read).logits[0, 0].item(), abs=1e-5)
    assert column.problem == ""


def test_a_reward_reads_the_chat_template_where_there_is_one(tmp_path: Path) -> None:
    model, tokenizer = save_classifier(tmp_path), tiny_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }}:{{ m.content }}\n{% endfor %}"
    tokenizer.save_pretrained(tmp_path)
    score = load_reward_model(str(tmp_path)).scores("the mat", ["the hat"])[0]
    read = tokenizer("user:the mat\nassistant:the hat\n", add_special_tokens=False, return_tensors="pt")
    assert score == pytest.approx(model(**read).logits[0, 0].item(), abs=1e-5)


def test_a_label_is_chosen_by_name_or_number(tmp_path: Path) -> None:
    model = save_classifier(tmp_path, 3, id2label={0: "bad", 1: "fair", 2: "good"})
    read = tiny_tokenizer()("p", "a", return_tensors="pt")
    probs = model(**read).logits[0].softmax(-1).tolist()
    assert load_reward_model(str(tmp_path), "GOOD").scores("p", ["a"]) == pytest.approx([probs[2]], abs=1e-5)
    assert load_reward_model(str(tmp_path), "1").scores("p", ["a"]) == pytest.approx([probs[1]], abs=1e-5)
    assert load_reward_model(str(tmp_path), "good").meaning == "P(good)"
    with pytest.raises(BadInput, match="3 labels"):
        load_reward_model(str(tmp_path))
    with pytest.raises(BadInput, match="no label"):
        load_reward_model(str(tmp_path), "best")


def test_of_two_labels_the_second_scores(tmp_path: Path) -> None:
    model = save_classifier(tmp_path, 2)
    read = tiny_tokenizer()("p", "a", return_tensors="pt")
    expected = model(**read).logits[0].softmax(-1)[1].item()
    assert load_reward_model(str(tmp_path)).scores("p", ["a"]) == pytest.approx([expected], abs=1e-5)


def test_a_text_longer_than_the_model_reads_is_cut(tmp_path: Path) -> None:
    save_classifier(tmp_path)
    assert np.isfinite(load_reward_model(str(tmp_path)).scores("the cat " * 200, ["the hat " * 200])).all()


@pytest.mark.parametrize("kind", ["llama", "llama with a chat", "bert", "no filling"])
def test_scored_together_is_scored_one_by_one(tmp_path: Path, kind: str) -> None:
    given = ("the cat", "a", "the mat " * 9, "the hat sat on the mat", "the cat")
    if kind == "bert":
        config = BertConfig(
            vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_labels=1
        )
        torch.manual_seed(1)
        BertForSequenceClassification(config).eval().save_pretrained(tmp_path)
        tokenizer = tiny_tokenizer()
    else:
        save_classifier(tmp_path)
        tokenizer = tiny_tokenizer()
        if kind == "llama with a chat":
            tokenizer.chat_template = "{% for m in messages %}{{ m.role }}:{{ m.content }}\n{% endfor %}"
    if kind != "no filling":
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(0)
    tokenizer.save_pretrained(tmp_path)
    model = load_reward_model(str(tmp_path))
    assert model._together is (kind != "no filling")
    alone = [score for text in given for score in model.scores("sat on", [text])]
    assert model.scores("sat on", given) == pytest.approx(alone, abs=1e-5) and len(set(alone)) == 4
    column = score_now(texts(*given), [parse_spec(f"reward:{tmp_path}")], ScoringContext("sat on"))[0]
    assert column.values == pytest.approx(alone, abs=1e-5)


def test_a_filling_that_the_head_takes_for_text_is_noticed(tmp_path: Path) -> None:
    """The head looks for token 0 as filling, the tokenizer fills with another: read together, scores would be wrong."""
    save_classifier(tmp_path)
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(7)
    tokenizer.save_pretrained(tmp_path)
    assert load_reward_model(str(tmp_path))._together is False


def test_a_reward_model_that_does_not_fit_is_refused_with_both_numbers_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_classifier(tmp_path)
    monkeypatch.setattr(reward, "probe", lambda: Hardware(ram_available_bytes=10_000))
    monkeypatch.setattr(reward, "_read_classifier", lambda *_: pytest.fail("its weights were read"))
    with pytest.raises(ModelTooLarge, match=r"needs about .* has .* free") as refusal:
        load_reward_model(str(tmp_path))
    assert refusal.value.available_bytes == 10_000
    weights = sum(file.stat().st_size for file in tmp_path.glob("*.safetensors"))
    assert weights * 0.8 < refusal.value.needed_bytes < weights + 3_000_000
    column = score_now(texts("x"), [parse_spec(f"reward:{tmp_path}")], ScoringContext("y"))[0]
    assert "free" in column.problem and "\n" not in column.problem


def test_one_on_the_hub_that_does_not_fit_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {
        "architectures": ["LlamaForSequenceClassification"],
        "num_hidden_layers": 80,
        "hidden_size": 8192,
        "num_attention_heads": 64,
        "vocab_size": 128_000,
    }
    monkeypatch.setattr(reward, "probe", lambda: Hardware(ram_available_bytes=8_000_000_000))
    with pytest.raises(ModelTooLarge) as refusal:
        reward._admit("somebody/reward", config, 70_000_000_000)
    assert refusal.value.needed_bytes > 140_000_000_000
    with pytest.raises(ModelRefused):
        reward._admit("somebody/writer", config | {"architectures": ["LlamaForCausalLM"]}, 1)


def broken(folder: Path, kind: str) -> str:
    """A folder (or name) that is no reward model."""
    if kind == "a language model":
        save_llama(folder)
    elif kind == "a token classifier":
        config = BertConfig(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
        BertForTokenClassification(config).save_pretrained(folder)
        tiny_tokenizer().save_pretrained(folder)
    elif kind == "no head":
        save_classifier(folder)
        BertModel(
            BertConfig(vocab_size=300, hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
        ).save_pretrained(folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"architectures": ["BertForSequenceClassification"]}))
    elif kind == "another shape":
        save_classifier(folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"hidden_size": 32}))
    elif kind == "pickled":
        save_classifier(folder)
        (folder / "model.safetensors").unlink()
        (folder / "pytorch_model.bin").write_bytes(b"not opened")
    elif kind == "own code":
        save_classifier(folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "modeling_x.X"}}))
    elif kind == "not cached":
        return "somebody/reward-model"
    elif kind == "the bundled model":
        return "smollm2-135m-instruct"
    return str(folder)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("a language model", ModelRefused),
        ("a token classifier", ModelRefused),
        ("no head", ModelCorrupt),
        ("another shape", ModelCorrupt),
        ("pickled", ModelRefused),
        ("own code", ModelRefused),
        ("not cached", ModelNotFound),
        ("the bundled model", ModelRefused),
    ],
)
def test_what_is_no_reward_model_is_one_clear_sentence(tmp_path: Path, kind: str, error: type[ModelError]) -> None:
    spec = parse_spec(f"reward:{broken(tmp_path, kind)}")
    column = score_now(texts("x"), [spec, parse_spec("avg-logprob")], ScoringContext("y"))
    assert column[0].problem.endswith(".") and "\n" not in column[0].problem
    assert column[1].problem == "", "the other rules go on"
    with pytest.raises(error):
        load_reward_model(str(spec.argument))


def test_a_bert_classifier_with_its_trained_head_is_read(tmp_path: Path) -> None:
    config = BertConfig(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_labels=1)
    BertForSequenceClassification(config).eval().save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    assert np.isfinite(load_reward_model(str(tmp_path)).scores("p", ["a"])).all()


# -- similarity ----------------------------------------------------------------------------------------------------------


def test_similar_texts_are_near_and_others_are_not() -> None:
    given = ("Paris is the capital of France.", "The French capital is Paris.", "My cat dislikes fish.")
    context = ScoringContext(reference="The capital of France is Paris.")
    same, near, far = score_now(texts(*given), [parse_spec("similarity")], context)[0].values
    assert same is not None and near is not None and far is not None
    assert same > 0.9 and near > 0.8 and far < 0.3


def test_similarity_does_not_depend_on_the_company() -> None:
    given = [f"answer {number} " * (number % 7 + 1) for number in range(20)]
    context = ScoringContext(reference="the answer")
    together = score_now(texts(*given), [parse_spec("similarity")], context)[0].values
    alone = [score_now(texts(text), [parse_spec("similarity")], context)[0].values[0] for text in given]
    assert together == pytest.approx(alone, abs=1e-5)


def test_an_embedding_is_the_mean_of_the_last_hidden_states() -> None:
    """One text at a time and without padding, so that a mistake in the mask shows."""
    folder = encoder_folder()
    assert folder is not None, "install requirements-model.txt"
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    given = ["A short one.", "A longer sentence about the weather in Oslo, which is cold."]
    vectors = load_sentence_encoder().embed(given)
    for row, text in zip(vectors, given, strict=True):
        with torch.no_grad():
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        expected = torch.nn.functional.normalize(hidden.mean(0), dim=0).numpy()
        np.testing.assert_allclose(row, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_without_the_encoder_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "ENCODER_PACKAGE", "no_such_package_here")
    load_sentence_encoder.cache_clear()
    column = score_now(texts("x"), [parse_spec("similarity")], ScoringContext(reference="y"))[0]
    load_sentence_encoder.cache_clear()
    assert "pip install" in column.problem and column.values == (None,)


def test_a_damaged_encoder_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "ENCODER_SHA256", "0" * 64)
    load_sentence_encoder.cache_clear()
    with pytest.raises(PlaygroundError, match="damaged"):
        load_sentence_encoder()
    load_sentence_encoder.cache_clear()
