"""The tokenizer read without transformers, held against transformers' own reading of the same files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from playground.engine.codec import HfTextCodec
from playground.engine.fake import FakeEngine
from playground.models import locating
from playground.models.build_once import is_intact
from playground.models.bundled import ensure_bundled
from playground.models.locating import glimpse, locate
from playground.models.saved_tokenizer import SavedTokenizer

TEXTS = (
    "The capital of France is",
    "",
    "  1234 567",
    "<|im_end|> spelt out",
    "नमस्ते မင်္ဂလာပါ 👩‍👩‍👧‍👦",
    "a\x00b\r\n\tc",
    "é" * 50,
)


@pytest.fixture(scope="module")
def folder() -> Path:
    return ensure_bundled()


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[SavedTokenizer, Any]:
    return SavedTokenizer(folder), PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)


def test_it_has_what_transformers_tokenizer_has(both: tuple[SavedTokenizer, Any]) -> None:
    ours, theirs = both
    assert ours.get_vocab() == theirs.get_vocab()
    assert {token: (e.content, e.special) for token, e in ours.added_tokens_decoder.items()} == {
        token: (e.content, e.special) for token, e in theirs.added_tokens_decoder.items()
    }
    assert set(theirs.all_special_ids) <= set(ours.all_special_ids)
    assert len(ours.all_special_ids) == len(ours.all_special_tokens)
    assert (ours.eos_token_id, ours.bos_token_id) == (theirs.eos_token_id, theirs.bos_token_id)
    assert ours.chat_template == theirs.chat_template and ours.is_fast and theirs.is_fast


def test_a_codec_on_it_gives_the_same_ids_and_texts(both: tuple[SavedTokenizer, Any]) -> None:
    info = FakeEngine().info
    ours, theirs = (HfTextCodec(tokenizer, info) for tokenizer in both)
    for text in TEXTS:
        for parse in (False, True):
            ids = theirs.encode(text, parse_special=parse)
            assert ours.encode(text, parse_special=parse) == ids
            assert ours.decode(ids) == theirs.decode(ids)
        assert ours.encode_chat(text or "x", system="Be brief.") == theirs.encode_chat(text or "x", system="Be brief.")
    assert ours.start_ids == theirs.start_ids
    for token in range(0, 49_152, 7):
        assert ours.token_bytes(token) == theirs.token_bytes(token)
        assert ours.is_special(token) == theirs.is_special(token)


def test_reading_it_imports_no_transformers(folder: Path) -> None:
    code = (
        "import sys; from playground.models.locating import glimpse\n"
        "from playground.models.saved_tokenizer import SavedTokenizer\n"
        "seen = glimpse(); SavedTokenizer(seen.folder)('a'); assert 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# -- the model seen without its checks -----------------------------------------------------------------------------------


def test_a_glimpse_names_the_same_model_as_the_whole_look() -> None:
    seen, located = glimpse(dtype="bfloat16"), locate(dtype="bfloat16")
    assert seen == located
    assert glimpse("gpt2") is None, "another model is looked at whole"


def test_nothing_is_seen_of_a_model_that_must_be_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(locating, "bundled_folder", lambda: tmp_path / "bundled")
    assert glimpse() is None
    copy = tmp_path / "bundled"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).symlink_to(file) if file.stat().st_size > 10**8 else (copy / file.name).write_bytes(
            file.read_bytes()
        )
    assert glimpse() is not None
    weights = copy / "model.safetensors"
    weights.unlink()
    weights.write_bytes(b"\xff" * (folder / weights.name).stat().st_size)  # of the right length, as a flipped header is
    assert glimpse() is None, "damaged weights are for the look at the whole model, which unpacks them anew"
    damaged = copy / "tokenizer.json"
    damaged.write_bytes(damaged.read_bytes()[:-2] + b"}\n")
    assert not is_intact(copy, but="model.safetensors") and glimpse() is None
