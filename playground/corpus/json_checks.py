"""Why a file is no tokenizer.json that can be read, as a clause of ours with a next step: looked at before the library is asked,
and said in place of what the library says. Knows neither a page nor a process."""

from __future__ import annotations

from typing import Any

from playground.json_reading import NestedTooDeeply, read_json
from playground.models.tokenizer_growth import growth_problem
from playground.models.wording import shown

VERSION = "1.0"  # of the format, since it was first written
MODELS = ("BPE", "Unigram", "WordLevel", "WordPiece")
_AGAIN = "save it anew with the library tokenizers 0.23, or fetch its publisher's file again"
_SAYS = (  # a word of the library's refusal, and what it means
    ("out of vocabulary", "its merges name tokens that its vocabulary does not have"),
    ("Oniguruma", "a pattern in it is no regular expression"),
    ("Normalizer", "its normalizer is of a kind that the library tokenizers does not have"),
    ("PreTokenizer", "its pre_tokenizer is of a kind that the library tokenizers does not have"),
    ("PostProcessor", "its post_processor is of a kind that the library tokenizers does not have"),
    ("Decoder", "its decoder is of a kind that the library tokenizers does not have"),
    ("expected u32", "an id in it is no number of a token"),
)


class NoTokenizer(ValueError):
    """What is wrong with a file and what to do: "it is no JSON: fetch it again"."""


def read_described(data: bytes) -> tuple[str, dict[str, Any]]:
    """A file's text, and what it describes. Raises NoTokenizer for what the library need not be asked about."""
    if data.startswith(b"\x1f\x8b"):
        raise NoTokenizer("it is packed with gzip: unpack it first")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoTokenizer(
            "it is no UTF-8 text: take the model's tokenizer.json, not a tokenizer.model or its weights"
        ) from None
    try:
        described = read_json(text)
    except NestedTooDeeply:
        raise NoTokenizer("its brackets are nested deeper than any tokenizer's: fetch it again") from None
    except ValueError:
        raise NoTokenizer("it is no JSON, or was cut short: fetch it again") from None
    if not isinstance(described, dict) or not isinstance(described.get("model"), dict):
        raise NoTokenizer(
            "it has no field model, as tokenizer_config.json and vocab.json have none: take the tokenizer.json beside them"
        )
    version, kind = described.get("version", VERSION), described["model"].get("type", MODELS[0])
    if version != VERSION:
        raise NoTokenizer(f"it is written in version {shown(version)} of the format, and {VERSION} is read: {_AGAIN}")
    if kind not in MODELS:
        raise NoTokenizer(f"its model is {shown(kind)}, and {', '.join(MODELS)} are read: take another tokenizer")
    if (problem := growth_problem(described)) is not None:
        raise NoTokenizer(problem)
    return text, described


def refusal_of(error: BaseException) -> NoTokenizer:
    """What the library's refusal of a file means. A panic of it is no ``Exception``."""
    if not isinstance(error, Exception):
        return NoTokenizer(f"the library tokenizers breaks on it: {_AGAIN}")
    said = str(error)
    meant = next((meaning for word, meaning in _SAYS if word in said), "the library tokenizers does not accept it")
    return NoTokenizer(f"{meant}: {_AGAIN}")
