"""Bits per byte: equal to a pass by transformers, on engines with known logits, in windows, and with honest intervals."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from playground.corpus import bits
from playground.corpus.bits import BitsStep, BitsStore, bits_job, interval_of, over_texts, windows, within_text
from playground.corpus.domains import read_domains, samples
from playground.corpus.meaning import PASS_BYTES, PROTOCOLS, chosen_texts, in_passes, knowledge
from playground.corpus.parallel import read_parallel
from playground.engine.api import CancelToken, Score
from playground.engine.fake.codec import VOCAB
from playground.engine.fake.engine import FakeEngine
from playground.engine.pieces import finish
from playground.errors import BadInput, Cancelled, CapabilityMissing

PARALLEL = "\n".join(
    json.dumps({"language": language, "key": key, "text": text})
    for language, key, text in (
        ("eng", "1", "a"),
        ("eng", "2", "b" * 1_000),
        ("two", "1", "cd"),
        ("two", "2", "e" * 40),
    )
).encode()


def test_twelve_domains_ship_with_their_licences() -> None:
    domain_texts = samples()
    assert len(domain_texts) == 12 and len({each.domain for each in domain_texts}) == 12
    assert all(each.licence and 400 < len(each.text.encode()) < 2_000 for each in domain_texts)


def test_a_uniform_model_pays_the_logarithm_of_its_vocabulary_for_each_token() -> None:
    engine = FakeEngine(lambda ids: np.zeros(VOCAB, dtype=np.float32))
    (text_bits,) = finish(bits_job(["hello é"], BitsStore())(engine, CancelToken()))
    assert text_bits.per_token == pytest.approx(math.log2(VOCAB))
    assert text_bits.bytes == sum(len(engine.codec.token_bytes(token)) for token in text_bits.ids[1:])
    assert text_bits.per_byte == pytest.approx(text_bits.total / text_bits.bytes)


def test_a_text_longer_than_the_context_is_read_in_windows_and_loses_nothing_but_their_first_tokens() -> None:
    engine = FakeEngine(context_length=16)
    text = "abcdefghij" * 20
    parts = windows(engine, text)
    assert max(map(len, parts)) <= 16
    (text_bits,) = finish(bits_job([text], BitsStore())(engine, CancelToken()))
    assert len(text_bits.ids) == sum(map(len, parts)) and text_bits.tokens == len(text_bits.ids) - len(parts)


def test_too_many_tokens_are_refused_with_how_much_of_the_texts_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(context_length=16)
    text = "abcdefghij" * 20
    (text_bits,) = finish(bits_job([text], BitsStore())(engine, CancelToken()))
    monkeypatch.setattr(bits, "MOST_TOKENS", len(text_bits.ids))
    bits.check_length(engine, [text])
    for texts in ([text, "klm"], ["klm", text, "é"]):
        with pytest.raises(BadInput, match="Give it fewer texts, or shorter ones") as refused:
            finish(bits_job(texts, BitsStore())(engine, CancelToken()))
        size, fit = sum(len(each.encode()) for each in texts), int(str(refused.value).split("first ")[1].split()[0])
        assert f"of their {size} bytes" in str(refused.value) and fit < size
        whole = "".join(texts).encode()
        bits.check_length(engine, [whole[:fit].decode()])


def test_texts_are_read_once_in_steps_and_may_be_stopped() -> None:
    engine, store, cancel = FakeEngine(), BitsStore(), CancelToken()
    steps = bits_job(["abc", "defg"], store)(engine, cancel)
    shares = [step.share for step in steps if isinstance(step, BitsStep)]
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) == 2
    assert store.cached(engine.info.revision, ["defg", "abc"]) is not None
    assert store.cached(engine.info.revision, ["abc", "other"]) is None
    cancel.cancel()
    with pytest.raises(Cancelled):
        finish(bits_job(["new"], store)(engine, cancel))
    with pytest.raises(CapabilityMissing):
        finish(bits_job(["x"], store)(FakeEngine(lacks=frozenset({Score})), CancelToken()))


def test_an_interval_holds_the_ratio_and_narrows_with_more_parts() -> None:
    rng = np.random.default_rng(1)
    few, many = rng.gamma(2, 1, 8), rng.gamma(2, 1, 512)
    first, second = interval_of(few, np.ones(8)), interval_of(many, np.ones(512))
    assert first.low < first.value < first.high and second.low < second.value < second.high
    assert second.high - second.low < first.high - first.low
    assert math.isnan(interval_of([], []).value)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for seed in range(60):
        parts = rng.gamma(3, 1, 40)
        interval = interval_of(parts, np.full(40, 2.0), seed)
        hits += interval.low <= 1.5 <= interval.high
    assert hits >= 50  # 95% of 60 is 57; fewer than 50 happen once in a thousand times


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"x", "Line 1 is not a JSON object"),
        (b'{"domain": "a"}', "must be texts"),
        (b'{"domain": "a", "text": "\\ud800"}', "half a character"),
        (b'{"domain": "a", "text": "b"}\x00', "NUL"),
        (b"x" * 2_000_001, "at most 2,000,000"),
    ],
)
def test_uploads_that_cannot_be_read_are_refused_with_their_line(data: bytes, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_domains(data)
    assert said in str(refused.value)


def test_lines_of_one_domain_are_one_text() -> None:
    (domain_text,) = read_domains(b'{"domain": "a", "text": "one"}\n\n{"domain": "a", "text": "two"}').texts
    assert domain_text.text == "one\ntwo"


def test_bits_per_meaning_by_each_protocol() -> None:
    engine, text = FakeEngine(lambda ids: np.zeros(VOCAB, dtype=np.float32)), read_parallel(PARALLEL)
    texts, each_token = chosen_texts(text, ["two"], 2), math.log2(VOCAB)  # one byte a token here
    by_protocol = {}
    for protocol in PROTOCOLS:
        given = in_passes(texts, protocol)
        bits = finish(bits_job([part for own in given.values() for part in own], BitsStore())(engine, CancelToken()))
        by_protocol[protocol] = knowledge(text, texts, bits, protocol)[1]
    assert {name: round(each.per_byte.value / each_token, 6) for name, each in by_protocol.items()} == dict.fromkeys(
        PROTOCOLS, 1
    )
    # "two" needs 2 and 40 bytes where the baseline needs 1 and 1,000: 42 / 1,001 in all, (2 / 1 + 40 / 1,000) / 2 on average
    assert by_protocol["totals"].per_meaning.value == pytest.approx(each_token * 42 / 1_001)
    assert by_protocol["mean"].per_meaning.value == pytest.approx(each_token * 1.02)
    # with the line between the two
    assert by_protocol["passes"].per_meaning.value == pytest.approx(each_token * 43 / 1_001)
    assert all(each.per_meaning.low <= each.per_meaning.value <= each.per_meaning.high for each in by_protocol.values())


def test_passes_cut_no_character_and_lose_nothing() -> None:
    texts = {"mya": ["ကလေး" * 300, "x" * 100]}
    parts = in_passes(texts, "passes")["mya"]
    assert "".join(parts) == "\n".join(texts["mya"]) and len(parts) == 5
    assert all(PASS_BYTES - 3 < len(part.encode()) <= PASS_BYTES for part in parts[:-1])


@pytest.mark.model
def test_bits_are_those_of_a_teacher_forced_pass_by_transformers() -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from playground.engine.factory import make_engine
    from playground.models.bundled import ensure_bundled

    engine = make_engine(None, "cpu", "float32", None)
    texts = [each.text for each in samples() if each.domain in ("protein", "law")] + ["ကလေး 🙂"]
    text_bits = finish(bits_job(texts, BitsStore())(engine, CancelToken()))
    engine.close()
    folder = str(ensure_bundled())
    model, tokenizer = (
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
        AutoTokenizer.from_pretrained(folder),
    )
    for text, own in zip(texts, text_bits, strict=True):
        ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
        with torch.inference_mode():
            loss = float(model(input_ids=ids, labels=ids).loss)  # the mean over all but the first token
        first = len(tokenizer.decode(ids[0, :1]).encode()) if text[0].isascii() else own.bytes and int(own.sizes[0])
        bits = loss * (ids.shape[1] - 1) / math.log(2) / (len(text.encode()) - first)
        assert own.per_byte == pytest.approx(bits, rel=2e-4)
        assert within_text(own).value == pytest.approx(own.per_byte)
    assert over_texts(text_bits).value == pytest.approx(
        sum(f.total for f in text_bits) / sum(f.bytes for f in text_bits)
    )
