"""What the page Languages can be set to beside the shared setup."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.corpus.meaning import PROTOCOLS
from playground.corpus.parallel import declaration
from playground.corpus.personal_data import has_personal_data
from playground.errors import BadInput
from playground.state.link_fields import link_field, one_of, text, texts, whole

SENTENCE = (
    "The children are playing in the garden. Trẻ em đang chơi trong vườn. बच्चे बगीचे में खेल रहे हैं। ကလေးများ ကစားနေကြသည်။ 🙂"
)
LONGEST_SENTENCE = 4_000
_CODE = re.compile(r"[^\x00-\x1f]{1,60}")
_PRICE = re.compile(r"[A-Za-z0-9._:/@ -]{1,80}")
_TOKENIZER = re.compile(r"[^\x00-\x1f]{1,300}")  # a packaged one's name, or a hub id, folder or file of the reader's
_PACKAGED = re.compile(r"[a-z0-9.-]{1,20}")
VIEWS = {"heat": "Heatmap", "bars": "Sorted bars", "map": "Map", "table": "Table"}


def _read_code(given: str) -> str:
    if not _CODE.fullmatch(given):
        raise BadInput(f"{given[:20]!r} is no language of the text.")
    return given


def _read_tokenizer(given: str) -> str:
    if not _TOKENIZER.fullmatch(given):
        raise BadInput(f"{given[:20]!r} is no name of a tokenizer.")
    return given


def _is_own(name: str) -> bool:
    """Whether it is a tokenizer that somebody named or uploaded: no link brings it back."""
    return not _PACKAGED.fullmatch(name)


def _is_uploaded(code: str) -> bool:
    """Whether only somebody's upload has the language: its name is his, and no link brings it back."""
    return code not in declaration().languages


def _read_price(given: str) -> str:
    if not _PRICE.fullmatch(given) or "/" not in given:
        raise BadInput(f"{given[:20]!r} is no provider and model.")
    return given


@dataclass(frozen=True, slots=True)
class LanguagesState:
    """``read``: languages that the model reads, the first ``articles`` of each, as ``protocol`` says. ``amount``: English
    tokens of the text that is paid for at ``price``, provider/model.

    ``sentence`` is cut by every tokenizer; with personal data in it no link has it. ``language`` is looked at closer, under
    ``tokenizer`` and beside it ``beside``."""

    sentence: str = text(
        SENTENCE,
        LONGEST_SENTENCE,
        label="Text",
        name="text",
        help="Cut by every tokenizer below.",
        unlinked=has_personal_data,
    )
    shows: str = one_of("heat", VIEWS, name="shows", label="Shown")
    language: str = link_field("mya", _read_code, label="Language", name="language", unlinked=_is_uploaded)
    tokenizer: str = link_field("smollm2", _read_tokenizer, label="Tokenizer", name="tokenizer", unlinked=_is_own)
    beside: str = link_field("gemma3", _read_tokenizer, label="Beside it", name="against", unlinked=_is_own)
    read: tuple[str, ...] = texts(
        ("deu_1996", "rus", "hin", "mya"),
        11,
        _read_code,
        name="read",
        label="Languages",
        unlinked=lambda codes: any(map(_is_uploaded, codes)),
    )
    protocol: str = one_of("totals", PROTOCOLS, name="protocol", label="Read and averaged")
    articles: int = whole(2, 1, 30, label="Articles", help="The first so many of each language.")
    amount: int = whole(500, 10, 20_000, label="Tokens in English", help="How long the text is.")
    price: str = link_field("openai/gpt-4o-mini", _read_price, label="Price of", name="price")
