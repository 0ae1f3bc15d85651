"""A stranger's tokenizer.json: read by a child, held against the library, and refused in one sentence where it is hostile."""

from __future__ import annotations

import gzip
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
    tokenizer = Tokenizer(models.BPE(vocabulary, [("h", "e"), ("l", "l")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<s>")])
    return tokenizer


def sentencepiece_like() -> Tokenizer:
    """Llama 2's kind: ▁ for spaces, a space before the text, bytes for what is missing."""
    names = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "h", "e", "l", "o", "▁h"]
    tokenizer = Tokenizer(
        models.BPE(
            dict(zip(names, range(len(names)), strict=True)), [("▁", "h")], unk_token="<unk>", byte_fallback=True
        )
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def word_piece() -> Tokenizer:
    """BERT's kind: what it does not have is lost."""
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "hell": 1, "##o": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


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
        pieces = child_pieces(path, text)
        assert b"".join(data.encode("latin-1") for _, data, _ in pieces) == text.encode()
        assert [token for token, _, _ in pieces] == child_ids(path, [text])[0]
    assert [kind for _, _, kind in child_pieces(path, "é")][-2:] == ["bytes", "bytes"]


def test_what_a_vocabulary_does_not_have_is_marked_unknown(tmp_path: Path) -> None:
    pieces = child_pieces(str(saved(word_piece(), tmp_path)), "hello xyz")
    assert [(data, kind) for _, data, kind in pieces] == [("hell", "text"), ("o", "text"), ("xyz", "unknown")]


def described(**changed: object) -> bytes:
    """A good file with some of its fields changed; what is None is left out."""
    document = json.loads(byte_level().to_str()) | changed
    return json.dumps(
        {name: value for name, value in document.items() if value is not None or name not in changed}
    ).encode()


def split(pattern: str) -> dict[str, object]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


GOOD_MODEL = json.loads(byte_level().to_str())["model"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is no JSON, or was cut short: fetch it again"),
        (described()[:-40], "it is no JSON, or was cut short: fetch it again"),
        (b"[" * 100_000, "nested deeper than any tokenizer's: fetch it again"),
        (b"[]", "it has no field model"),
        (b'{"do_lower_case": true}', "take the tokenizer.json beside them"),
        (described(model=[1]), "it has no field model"),
        (b"\x0a\x0e\x0a\x05<unk>\x15\x00\x00\x80\xbf", "take the model's tokenizer.json, not a tokenizer.model"),
        (gzip.compress(described()), "it is packed with gzip: unpack it first"),
        (
            json.dumps({"version": "9.0", "model": {}}).encode(),
            "version '9.0' of the format, and 1.0 is read: save it anew",
        ),
        (
            described(model={"type": "Telepathy"}),
            "its model is 'Telepathy', and BPE, Unigram, WordLevel, WordPiece are read",
        ),
        (
            described(model=GOOD_MODEL | {"merges": [["zz", "zz"]]}),
            "its merges name tokens that its vocabulary does not have",
        ),
        (described(model=GOOD_MODEL | {"vocab": {"a": -1}}), "an id in it is no number of a token"),
        (described(pre_tokenizer={"type": "Nope"}), "its pre_tokenizer is of a kind"),
        (described(normalizer={"type": "Nope"}), "its normalizer is of a kind"),
        (described(pre_tokenizer=split("(")), "a pattern in it is no regular expression"),
        (
            described(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
            "the library tokenizers breaks on it: save it anew",
        ),
        (
            described(normalizer={"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 1_000_000}),
            "its own steps make 1,000,000 characters of one, and 64 at most are read: take its publisher's file",
        ),
    ],
)
def test_a_file_that_is_no_tokenizer_is_refused_in_our_own_words_with_a_next_step(
    data: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(data)
    with pytest.raises(BadInput, match="cannot be used: ") as refused:
        open_strange(path)
    assert said in str(refused.value) and str(refused.value).count(": ") == 2 and str(refused.value).endswith(".")
    for foreign in ("line 1", "column", "panic", "enum", "thread", "Error", "codec"):
        assert foreign not in str(refused.value)


def test_a_mark_of_the_encoding_and_a_missing_version_are_no_fault(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(b"\xef\xbb\xbf" + described(version=None))
    assert open_strange(tmp_path).facts.vocab_size == byte_level().get_vocab_size()


def test_a_token_that_only_looks_like_a_byte_is_spelt_as_it_is(tmp_path: Path) -> None:
    tokenizer = sentencepiece_like()
    tokenizer.add_tokens(["<0xZZ>"])
    assert b"".join(
        data.encode("latin-1") for _, data, _ in child_pieces(str(saved(tokenizer, tmp_path)), "he <0xZZ>")
    ) == (b"he <0xZZ>")


def test_a_pattern_that_never_ends_ends_the_child_and_not_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "OPEN_SECONDS", 0.5)
    path = tmp_path / "tokenizer.json"
    path.write_bytes(described(pre_tokenizer=split("(a|aa|aaa)+$")))
    own = open_strange(path)
    with pytest.raises(BadInput, match="give another text, or take it away"):
        own.encode_all(["a" * 5_000 + "b"])


def test_more_tokens_than_a_reply_holds_are_said_to_be_that(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(described(normalizer={"type": "Replace", "pattern": {"String": "a"}, "content": "é" * 60}))
    own = open_strange(path)
    with pytest.raises(BadInput, match="it makes more tokens of this text than are read: give a shorter text"):
        own.encode_all(["a" * 40_000])


def test_half_a_character_and_names_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    own = open_strange(saved(word_piece(), tmp_path))
    with pytest.raises(BadPrompt, match="half a character"):
        own.encode_all(["\ud83d"])
    with pytest.raises(BadInput, match="neither in the local cache"):
        open_tokenizer("nobody/has-this")
    with pytest.raises(BadInput, match="no tokenizer called"):
        open_tokenizer("../..//x")
    assert wanted(["rwkv", "rwkv"]) == ("rwkv",)
