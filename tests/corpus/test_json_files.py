"""A stranger's tokenizer.json: read by a child, held against the library, and refused in one sentence where it is hostile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from playground.bounded import close_children
from playground.corpus import json_files
from playground.corpus.json_files import child_ids, child_pieces, open_strange
from playground.corpus.tokenizer import text_of
from playground.corpus.tokenizers import open_tokenizer, wanted
from playground.errors import BadInput, BadPrompt

TEXTS = ("hello hell", "héllo 🙂", "<s> hello")


@pytest.fixture(scope="module", autouse=True)
def _children() -> Iterator[None]:
    yield
    close_children()


def byte_level() -> Tokenizer:
    """GPT-2's kind: every byte a token, two merges."""
    letters = pre_tokenizers.ByteLevel.alphabet()
    vocabulary = {letter: number for number, letter in enumerate(sorted(letters))} | {"he": 256, "ll": 257}
    found = Tokenizer(models.BPE(vocabulary, [("h", "e"), ("l", "l")]))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    found.add_special_tokens([AddedToken("<s>")])
    return found


def sentencepiece_like() -> Tokenizer:
    """Llama 2's kind: ▁ for spaces, a space before the text, bytes for what is missing."""
    names = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "h", "e", "l", "o", "▁h"]
    found = Tokenizer(
        models.BPE(
            dict(zip(names, range(len(names)), strict=True)), [("▁", "h")], unk_token="<unk>", byte_fallback=True
        )
    )
    found.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    found.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return found


def word_piece() -> Tokenizer:
    """BERT's kind: what it does not have is lost."""
    found = Tokenizer(models.WordPiece({"[UNK]": 0, "hell": 1, "##o": 2}, unk_token="[UNK]"))
    found.pre_tokenizer = pre_tokenizers.Whitespace()
    return found


def saved(tokenizer: Tokenizer, folder: Path) -> Path:
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def test_a_folder_is_read_by_a_child_and_gives_the_librarys_ids_and_the_texts_bytes(tmp_path: Path) -> None:
    path = saved(byte_level(), tmp_path)
    own = open_tokenizer(str(tmp_path))
    library = byte_level()
    library.encode_special_tokens = True
    assert own.facts.vocab_size == library.get_vocab_size()
    assert own.encode_all(TEXTS) == [library.encode(text, add_special_tokens=False).ids for text in TEXTS]
    for text in TEXTS:
        assert text_of(own.pieces(text)) == text.encode()
    assert own.pieces("<s>")[0].data == b"<"  # what is typed is text
    assert open_strange(path).facts.vocab_size == own.facts.vocab_size


@pytest.mark.parametrize("make", [byte_level, sentencepiece_like])
def test_pieces_spell_the_text_also_with_a_space_before_it_and_bytes_are_marked(make: object, tmp_path: Path) -> None:
    assert callable(make)
    path = str(saved(make(), tmp_path))
    for text in TEXTS:
        found = child_pieces(path, text)
        assert b"".join(data.encode("latin-1") for _, data, _ in found) == text.encode()
        assert [token for token, _, _ in found] == child_ids(path, [text])[0]
    assert [kind for _, _, kind in child_pieces(path, "é")][-2:] == ["bytes", "bytes"]


def test_what_a_vocabulary_does_not_have_is_marked_unknown(tmp_path: Path) -> None:
    found = child_pieces(str(saved(word_piece(), tmp_path)), "hello xyz")
    assert [(data, kind) for _, data, kind in found] == [("hell", "text"), ("o", "text"), ("xyz", "unknown")]


def hostile(name: str) -> str:
    described = json.loads(byte_level().to_str())
    if name == "not json":
        return "{"
    if name == "deep":
        return "[" * 100_000
    if name == "another version":
        return json.dumps(described | {"version": "9.0", "model": {"type": "Telepathy"}})
    if name == "no such merge":
        described["model"]["merges"].append(["zz", "zz"])
    if name == "endless pattern":
        described["pre_tokenizer"] = {
            "type": "Split",
            "pattern": {"Regex": "(a|aa|aaa)+$"},
            "behavior": "Isolated",
            "invert": False,
        }
    return json.dumps(described)


@pytest.mark.parametrize("name", ["not json", "deep", "another version", "no such merge"])
def test_a_file_that_is_no_tokenizer_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(hostile(name))
    with pytest.raises(BadInput, match="cannot be used") as refused:
        open_strange(path)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 500


def test_a_pattern_that_never_ends_ends_the_child_and_not_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "OPEN_SECONDS", 0.5)
    path = tmp_path / "tokenizer.json"
    path.write_text(hostile("endless pattern"))
    own = open_strange(path)
    with pytest.raises(BadInput, match="cannot be used"):
        own.encode_all(["a" * 5_000 + "b"])


def test_half_a_character_and_names_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    own = open_strange(saved(word_piece(), tmp_path))
    with pytest.raises(BadPrompt, match="half a character"):
        own.encode_all(["\ud83d"])
    with pytest.raises(BadInput, match="neither in the local cache"):
        open_tokenizer("nobody/has-this")
    with pytest.raises(BadInput, match="no tokenizer called"):
        open_tokenizer("../..//x")
    assert wanted(["rwkv", "rwkv"]) == ("rwkv",)
