"""A tokenizer that multiplies texts is refused when it is loaded, and every one that is installed is not."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from playground.errors import ModelRefused
from playground.models.loading import load
from playground.models.tokenizer_growth import MOST_GROWTH, growth_of, growth_problem, require_bounded_growth
from tests.models.tiny import save_llama, tiny_tokenizer


def replacing(text: str, by: str) -> dict[str, object]:
    return {"type": "Replace", "pattern": {"String": text}, "content": by}


def charsmap(*forms: str) -> str:
    """SentencePiece's table with an empty index."""
    replacements = b"".join(form.encode() + b"\0" for form in forms)
    return base64.b64encode((4).to_bytes(4, "little") + bytes(4) + replacements).decode()


@pytest.mark.parametrize(
    ("described", "growth"),
    [
        ({}, 1),
        ({"normalizer": None, "model": {"end_of_word_suffix": "</w>"}}, 4),
        ({"normalizer": replacing(" ", "▁")}, 1),
        ({"normalizer": replacing("a", "a" * 1_000_000)}, 1_000_000),
        ({"normalizer": replacing("abcd", "a" * 100)}, 25),
        ({"normalizer": {"type": "Sequence", "normalizers": [replacing("a", "a" * 10)] * 4}}, 10_000),
        ({"normalizer": {"type": "Replace", "pattern": {"Regex": ""}, "content": "abc"}}, 3),
        ({"normalizer": {"type": "Prepend", "prepend": "▁" * 500}}, 500),
        ({"normalizer": {"type": "Precompiled", "precompiled_charsmap": charsmap("fi", "a" * 300)}}, 300),
        ({"decoder": {"type": "Sequence", "decoders": [replacing("▁", "x" * 70)]}}, 70),
        ({"model": {"continuing_subword_prefix": "#" * 5000}}, 5000),
        ({"normalizer": [1], "pre_tokenizer": {"type": "Sequence"}, "model": 3}, 1),
    ],
)
def test_the_growth_is_that_of_the_longest_way_through_the_steps(described: dict[str, object], growth: float) -> None:
    assert growth_of(described) == growth


def test_it_bounds_what_the_library_writes() -> None:
    steps = [normalizers.Replace("a", "ab"), normalizers.Prepend("<<"), normalizers.Replace("b", "bbb")]
    written = normalizers.Sequence(steps).normalize_str("aaaa")
    described = json.loads(normalizers.Sequence(steps).__getstate__())
    assert len(written) <= 4 * growth_of({"normalizer": described})


def test_a_models_folder_whose_tokenizer_multiplies_is_refused_within_seconds(tmp_path: Path) -> None:
    save_llama(tmp_path)
    file = tmp_path / "tokenizer.json"
    described = json.loads(file.read_text("utf-8"))
    grown = [replacing("a", "a" * 1000)] * 4
    file.write_text(json.dumps(described | {"normalizer": {"type": "Sequence", "normalizers": grown}}), "utf-8")
    started = time.process_time()
    with pytest.raises(
        ModelRefused, match="make 1,000,000,000,000 characters of one, and 64 at most are read: take its"
    ):
        load(str(tmp_path), device="cpu")
    assert time.process_time() - started < 10


def test_a_tokenizer_that_looks_for_pieces_in_endless_words_is_refused() -> None:
    """4,000 characters took 1.4 s, twice as many eight times as long."""
    words = {"[UNK]": 0, "x": 1, "##x": 2}
    endless = Tokenizer(models.WordPiece(words, unk_token="[UNK]", max_input_chars_per_word=10**9))
    with pytest.raises(
        ModelRefused, match="pieces in words of 1,000,000,000 characters, and 1,000 at most are read: take"
    ):
        require_bounded_growth(PreTrainedTokenizerFast(tokenizer_object=endless), "some/model")
    assert growth_problem(json.loads(endless.to_str())) is not None
    assert growth_problem(json.loads(Tokenizer(models.WordPiece(words, unk_token="[UNK]")).to_str())) is None


def test_a_panic_of_the_library_is_one_line_on_a_commands_stderr(tmp_path: Path) -> None:
    save_llama(tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("(t+t+)+y"), "isolated")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    command = [sys.executable, "-m", "playground", "next", "--model", str(tmp_path), "--prompt", "t" * 40]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 2 and ended.stdout == ""
    assert ended.stderr.startswith("error: The tokenizer of ") and ended.stderr.count("\n") == 1, ended.stderr


@pytest.mark.parametrize("step", ["normalizer", "pre_tokenizer", "decoder"])
def test_usual_steps_of_each_kind_are_left_alone(step: str) -> None:
    usual = {
        "normalizer": normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" ", "▁")]),
        "pre_tokenizer": pre_tokenizers.Metaspace(),
        "decoder": decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]),
    }[step]
    tokenizer = tiny_tokenizer()
    setattr(tokenizer.backend_tokenizer, step, usual)
    require_bounded_growth(tokenizer, "some/model")
    assert len("صلى الله عليه وسلم") < MOST_GROWTH  # Unicode's longest compatible form
