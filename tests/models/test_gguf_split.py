"""A .gguf file's tokenizer cuts a text as the published tokenizer of its rule does; a rule that is not known is refused."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import gguf
import pytest
import tiktoken
from tokenizers import Tokenizer
from transformers import CohereTokenizer, GPTNeoXTokenizer, PreTrainedTokenizerBase

from playground.corpus.tokenizers import file_of, packaged, present
from playground.errors import ModelRefused
from playground.models.catalogue import ModelSource
from playground.models.gguf_file import GgufFile
from playground.models.gguf_split import require_split
from playground.models.loading import load, read_tokenizer
from tests.models.test_gguf_config import _llama
from tests.models.tiny import save_gguf

SIZE = 6_000  # of each vocabulary, its most frequent part
TEXTS = (
    "45  67 and 1234567 in 2024-12-31",
    "It's HE'LL we'Ve  IPhone's camelCase HTTPServer",
    "a\n\n  b \r\n\tc   \n",
    "if (x != y) { return f(x)[0]; } // done...\n",
    "cafe\u0301 na\u00efve ΑΒγ дом 你好，世界 テスト हिन्दी ٣٤٥ ½²",
    "  two spaces, !one$+=<> ~tilde   ",
)


def _write(
    path: Path, rule: str | None, tokens: list[str], merges: list[str], kind: str = "llama", **said: Any
) -> Path:
    """A file of a vocabulary and the few settings that transformers makes a config of."""
    writer = gguf.GGUFWriter(path, kind)
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(16)
    writer.add_feed_forward_length(16)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_tokenizer_model("gpt2")
    if rule is not None:
        writer.add_tokenizer_pre(rule)
    writer.add_token_list(tokens)
    writer.add_token_types([1] * len(tokens))
    writer.add_token_merges(merges)
    for key, value in said.items():
        writer.add_uint32(f"tokenizer.ggml.{key}", value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def _read(path: Path) -> PreTrainedTokenizerBase:
    return read_tokenizer(ModelSource("gguf", path.name, path=path), path)


def _spelling() -> dict[int, str]:
    """How byte-level vocabularies write each byte: itself where it can be seen, else a character from 256 on."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + place) for place, byte in enumerate(hidden)}


def _merge_of(ranks: dict[bytes, int], token: bytes) -> tuple[bytes, ...]:
    """The last two parts that ``token`` is made of; more where no merges lead to it."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        rank, place = min(
            (ranks.get(left + right, 10**9), place) for place, (left, right) in enumerate(pairwise(parts))
        )
        if rank >= ranks[token]:
            break
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return tuple(parts)


@pytest.mark.parametrize(
    ("rule", "published", "kind"),
    [
        ("llama-bpe", "llama3", "llama"),
        ("tekken", "tekken", "llama"),
        ("qwen2", "qwen3", "qwen2"),
        ("qwen2", "qwen3", "qwen3"),
        ("qwen35", "qwen3.5", "llama"),
        ("llama4", "llama4", "llama"),
        ("gpt-4o", "o200k", "llama"),
        ("solar-open", "qwen3", "llama"),
    ],
)
def test_a_file_cuts_as_the_published_ranks(tmp_path: Path, rule: str, published: str, kind: str) -> None:
    assert published in present(), "make tokenizers"
    whole = cast(Any, packaged(published))
    ranks = {token: rank for token, rank in whole._encoding._mergeable_ranks.items() if rank < SIZE}
    reference = tiktoken.Encoding("part", pat_str=whole._encoding._pat_str, mergeable_ranks=ranks, special_tokens={})
    spelling = _spelling()
    spelled = {token: "".join(spelling[byte] for byte in token) for token in ranks}
    merges = [_merge_of(ranks, token) for token in sorted(ranks, key=ranks.__getitem__) if len(token) > 1]
    tokens = [spelled[token] for token in sorted(ranks, key=ranks.__getitem__)]
    lines = [" ".join(spelled[part] for part in parts) for parts in merges if len(parts) == 2]
    tokenizer = _read(_write(tmp_path / "part.gguf", rule, tokens, lines, kind))
    for text in map(whole._prepare, TEXTS) if rule == "solar-open" else TEXTS:  # which composes nothing itself
        expected = reference.encode_ordinary(whole._prepare(text))
        assert tokenizer(text, add_special_tokens=False).input_ids == expected, text


@pytest.mark.parametrize(
    ("rule", "published"),
    [("smollm", "smollm2"), ("starcoder", "smollm2"), ("deepseek-v3", "deepseek"), ("joyai-llm", "deepseek")],
)
def test_a_file_cuts_as_the_published_json(tmp_path: Path, rule: str, published: str) -> None:
    path = file_of(published)
    assert path is not None, "make tokenizers"
    content = json.loads(path.read_text(encoding="utf-8"))
    model = content["model"]
    model["merges"] = [merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"][:SIZE]]
    products = {left + right for left, right in model["merges"]}
    tokens = [token for token in model["vocab"] if len(token) == 1 or token in products]
    model["vocab"] = {token: id for id, token in enumerate(tokens)}
    content |= {"added_tokens": [], "post_processor": None}
    reference = Tokenizer.from_str(json.dumps(content))
    lines = [" ".join(merge) for merge in model["merges"]]
    tokenizer = _read(_write(tmp_path / "part.gguf", rule, tokens, lines))
    for text in TEXTS:
        assert tokenizer(text).input_ids == reference.encode(text).ids, text


@pytest.mark.parametrize("rule", ["gpt-2", "granite-docling"])
def test_rules_of_gpt2_cut_as_gpt2(tmp_path: Path, rule: str) -> None:
    """GPT-2's own pattern, as published, over a vocabulary of bytes and two merges that cross its borders."""
    spelling = _spelling()
    tokens = [*spelling.values(), "12", "s."]
    tokenizer = _read(_write(tmp_path / "part.gguf", rule, tokens, ["1 2", "s ."]))
    assert [tokens[id] for id in tokenizer("12s.").input_ids] == ["12", "s", "."]


@pytest.mark.parametrize(
    ("rule", "own"), [("command-r", CohereTokenizer), ("olmo", GPTNeoXTokenizer), ("mpt", GPTNeoXTokenizer)]
)
def test_a_file_cuts_as_the_tokenizer_of_its_family(
    tmp_path: Path, rule: str, own: type[CohereTokenizer | GPTNeoXTokenizer]
) -> None:
    tokens, merges = (
        [*_spelling().values(), "12", "\u00c3\u00a9"],
        ["1 2", "\u00c3 \u00a9"],
    )  # the second: an e with its accent
    tokenizer = _read(_write(tmp_path / "part.gguf", rule, tokens, merges))
    vocabulary = {token: id for id, token in enumerate(tokens)}
    reference = own(vocab=vocabulary, merges=[tuple(merge.split()) for merge in merges])
    for text in (*TEXTS, "12 caf\u00e9"):
        assert tokenizer.encode(text) == reference.encode(text, add_special_tokens=False), text


def test_a_word_of_the_vocabulary_stays_whole_without_merges(tmp_path: Path) -> None:
    tokens = [*_spelling().values(), "abc", "xy"]
    ids = {
        rule: _read(_write(tmp_path / f"{rule}.gguf", rule, tokens, ["x y"])).encode("abc")
        for rule in ("llama-bpe", "qwen2")
    }
    assert ids == {"llama-bpe": [256], "qwen2": [tokens.index(letter) for letter in "abc"]}


def test_llama3_begins_a_text_where_the_file_does_not_say(tmp_path: Path) -> None:
    tokens = [*_spelling().values(), "<begin>", "xy"]
    tokenizer = _read(_write(tmp_path / "part.gguf", "llama-bpe", tokens, ["x y"], bos_token_id=256))
    assert tokenizer("a").input_ids == [256, tokens.index("a")]


@pytest.mark.parametrize("rule", ["falcon", "deepseek-llm", "spiral", None])
def test_a_rule_that_is_not_known_is_refused(tmp_path: Path, rule: str | None) -> None:
    words = (
        "does not say how its tokenizer splits" if rule is None else f"by the rule '{rule}', which is not known here"
    )
    path = _write(tmp_path / "part.gguf", rule, [*_spelling().values(), "xy"], ["x y"])
    with pytest.raises(ModelRefused, match=words):
        require_split(GgufFile(path), "part")
    with pytest.raises(ModelRefused, match=words):
        _read(path)


def test_it_is_refused_before_the_weights_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    save_gguf(path, _llama({"rope_type": "default"}))
    path.write_bytes(path.read_bytes().replace(b"gpt-2", b"gpt-9"))
    with pytest.raises(ModelRefused, match="by the rule 'gpt-9'"):
        load(str(path), device="cpu", dtype="float32")
