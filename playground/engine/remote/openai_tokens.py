"""Whose tokens a server's texts are of: those of a tokenizer on this machine, or the server's own where it can be asked.

Knows no rows and no texts: ``openai_connect.py`` holds them against what the server does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from playground.engine.remote.http import ServerClient
from playground.engine.remote.kinds import ServerKind
from playground.engine.remote.openai_format import TokenNames
from playground.engine.remote.openai_rows import CompletionRows, GenerateRows
from playground.engine.remote.served_codec import ServedCodec, ServedTokenizer
from playground.engine.text.codec import HfTextCodec, TableCodec
from playground.errors import ServerError
from playground.models.info import ModelInfo
from playground.models.tokenizers import tokenizer_for

CHECKED = "The capital of France is  Paris: 12,345 für Zoë\n\n\tdef f(x):"
REFUSED = (400, 404, 405, 422)
LARGEST_HEAD = 2**20


@dataclass(frozen=True, slots=True)
class Tokens:
    """``name``: of the tokenizer. ``size``: its tokens, ``context``: the tokens that its model reads, 0 where it does not say.
    ``names``: which token a server calls how; empty where it names them by ids.
    """

    name: str
    size: int
    context: int
    has_chat_template: bool
    codec: Callable[[ModelInfo], TableCodec]
    names: Callable[[ModelInfo], dict[bytes, int]]


def local_tokens(model: str) -> Tokens:
    """Of the tokenizer here that is named, or is the model's own. Raises ModelNotFound and ModelCorrupt."""
    tokenizer, name = tokenizer_for(model)
    own = max(tokenizer.get_vocab().values(), default=-1) + 1
    return Tokens(
        name,
        len(tokenizer),
        min(int(getattr(tokenizer, "model_max_length", 0) or 0), 2**60),
        bool(getattr(tokenizer, "chat_template", None)),
        partial(HfTextCodec, tokenizer),
        lambda info: token_names(HfTextCodec(tokenizer, info), own),
    )


def served_tokens(client: ServerClient, kind: ServerKind, model: str) -> Tokens | None:
    """The server's own: where it turns texts into ids and back, takes ids, tells tokens by ids, and refuses an id that its model
    does not have, so that their number can be found out. None elsewhere. Raises ServerError.
    """
    if not kind.tokenizes:
        return None
    tokenizer = ServedTokenizer(client, kind, model)
    try:
        ids = tuple(tokenizer.encode(CHECKED, True))
        if tokenizer.decode(ids).strip() != CHECKED.strip():
            return None
        if not kind.names_ids:
            GenerateRows(client, kind, model, TokenNames({}, LARGEST_HEAD)).row(ids, 1)
    except ServerError as error:
        if error.status not in (None, *REFUSED):
            raise
        return None
    size = _size(CompletionRows(client, kind, model, TokenNames({}, LARGEST_HEAD)), max(ids) + 1)
    if size is None:
        return None
    if not _answers(lambda: tokenizer.apply_chat_template(_HI, tokenize=False, add_generation_prompt=True)):
        tokenizer.chat_template = ""
    chats = bool(tokenizer.chat_template)
    return Tokens(model, size, 0, chats, partial(ServedCodec, tokenizer), lambda info: {})


_HI = [{"role": "user", "content": "Hi"}]


def _size(rows: CompletionRows, least: int) -> int | None:
    """The smallest id that is refused as a prompt, of at least ``least``; None where none is."""
    most = LARGEST_HEAD
    if _answers(lambda: rows.ask([most])):
        return None
    while least < most:
        middle = (least + most) // 2
        if _answers(lambda at=middle: rows.ask([at])):  # type: ignore[misc]
            least = middle + 1
        else:
            most = middle
    return least


def _answers(ask: Callable[[], object]) -> bool:
    """Whether it is no refusal. Raises what is none."""
    try:
        ask()
    except ServerError as error:
        if error.status not in REFUSED:
            raise
        return False
    return True


def token_names(codec: HfTextCodec, size: int) -> dict[bytes, int]:
    """Which of the first ``size`` tokens is called how; a text that several tokens have names none."""
    by_bytes: dict[bytes, int] = {}
    several: set[bytes] = set()
    for token in range(size):
        name = codec.decode((token,)).encode() if codec.is_special(token) else codec.token_bytes(token)
        if name in by_bytes:
            several.add(name)
        by_bytes[name] = token
    return {name: token for name, token in by_bytes.items() if name and name not in several}
