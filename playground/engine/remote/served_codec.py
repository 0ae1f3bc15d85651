"""The tokenizer of a server that has one to ask (vLLM, SGLang), where none of its model is on this machine.

Its ids are the server's own. What such a tokenizer does not tell is unknown: which tokens are special, so that typed text which
spells one is refused instead of being read as it, and the bytes of a token that is part of a character, which is shown by its
id. A chat is rendered where the server turns messages into ids (vLLM). Knows no probabilities.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cachetools import LRUCache

from playground.engine.remote.http import ServerClient
from playground.engine.remote.kinds import ServerKind
from playground.engine.remote.reading import Answer
from playground.engine.text.chat import ChatTemplate
from playground.engine.text.codec import TableCodec, leading_ids
from playground.engine.text.display import bracket
from playground.engine.text.token_bytes import TokenTable
from playground.errors import BadPrompt
from playground.models.info import ModelInfo
from playground.models.tokenizers import TOKENIZER_VARIABLE

_LIKE_SPECIAL = re.compile(r"<[^<>\s]{1,60}>|\[[^\[\]\s]{1,60}\]")
_MOST_LOOKED_AT = 16  # spellings in one text that are asked about
_REMEMBERED_CHATS = 32
_BROKEN = "\ufffd"
_ANCHOR = "⟦§⟧"  # no token has it in it
_MOST_AT_ONCE = 256  # tokens asked about in one request
_LONGEST_TOKEN = 32  # characters, for the refusal of a text that cannot fit


class ServedTokenizer:
    """An ``Encoder`` and a ``Templated`` by requests. Safe to call from any thread."""

    def __init__(self, client: ServerClient, kind: ServerKind, model: str) -> None:
        self._client, self._kind, self._model = client, kind, model
        self.chat_template = "the server's" if kind.tokenizes_chats else ""

    def _ask(self, path: str, **body: object) -> Answer:
        address = self._client.address
        return Answer(self._client.ask(address.root + path, {"model": self._model, **body}), address)

    def encode(self, text: str, parse_special: bool, *, add_special: bool = False) -> list[int]:
        """Ids of ``text``; ``add_special``: with what the model has before a text. Raises BadPrompt as ``refuse_special``."""
        if not parse_special:
            self.refuse_special(text)
        return list(self._ask("/tokenize", prompt=text, add_special_tokens=add_special).ids("tokens", None))

    def refuse_special(self, text: str) -> None:
        """Raise BadPrompt where ``text`` spells what the server reads as one token: it cannot be told to read it as text."""
        for spelt in list(dict.fromkeys(_LIKE_SPECIAL.findall(text)))[:_MOST_LOOKED_AT]:
            if len(self.encode(spelt, True)) == 1:
                raise BadPrompt(
                    f"The server reads {spelt[:60]!r} in the text as one special token: leave it out, let special tokens be "
                    f"parsed, or name a tokenizer on this machine with {TOKENIZER_VARIABLE}.",
                    field="prompt",
                )

    def decode(self, ids: Sequence[int]) -> str:
        return self._ask("/detokenize", tokens=list(ids), **self._kind.detokenize).text(self._kind.detokenized)

    def apply_chat_template(
        self, conversation: list[dict[str, str]], /, *, tokenize: bool, add_generation_prompt: bool
    ) -> str:
        """The text of messages: of the ids that the server makes of them."""
        assert add_generation_prompt and not tokenize, "it is asked for nothing else"
        ids = self._ask("/tokenize", messages=conversation, add_generation_prompt=True).ids("tokens", None)
        return self.decode(ids)


class ServedCodec(TableCodec):
    """A ``TextCodec`` whose ids are the server's own, and whose tokens' texts are asked for as they are met."""

    def __init__(self, tokenizer: ServedTokenizer, info: ModelInfo) -> None:
        self._anchor = tokenizer.encode(_ANCHOR, True)
        self._prefix = tokenizer.decode(self._anchor)
        super().__init__(tokenizer, ChatTemplate(tokenizer, info.name), info)
        self._tokenizer = tokenizer
        dressed = tokenizer.encode("a", True, add_special=True)
        self._before = leading_ids(dressed, tokenizer.encode("a", True))
        self._chats: LRUCache[tuple[str, str | None], tuple[int, ...]] = LRUCache(_REMEMBERED_CHATS)
        self._token_table = TokenTable({}, {}, info.vocab_size, exact=False, joins=False, decode=self._served_bytes)
        self._token_table.longest_bytes = _LONGEST_TOKEN

    @property
    def _table(self) -> TokenTable:
        return self._token_table

    @property
    def _leading_ids(self) -> tuple[int, ...]:
        return self._before

    @property
    def _bos_id(self) -> int | None:
        return self._before[0] if self._before else None

    def encode_chat(self, text: str, *, system: str | None = None, parse_special: bool = False) -> tuple[int, ...]:
        """As ``TableCodec``; remembered, since a page asks for the same at every move of a slider."""
        key = (text, system)
        with self._lock:
            token_ids = self._chats.get(key)
        if token_ids is None:
            if not parse_special:
                self._tokenizer.refuse_special(text + "\n" + (system or ""))
            token_ids = super().encode_chat(text, system=system, parse_special=True)
            with self._lock:
                self._chats[key] = token_ids
        return token_ids

    def _encode_part(self, text: str, parse_special: bool) -> tuple[int, ...]:
        ids = super()._encode_part(text, parse_special)
        self.learn(ids)
        return ids

    def piece(self, token_id: int, context: Sequence[int] = ()) -> str:
        """As ``TableCodec``; of a part of a character, whose bytes are not told, the id."""
        shown = super().piece(token_id, context)
        return bracket(f"id {token_id}") if _BROKEN in shown else shown

    def learn(self, ids: Iterable[int]) -> None:
        """Ask for the texts of several tokens in one request, each behind the anchor, so that its spaces stay."""
        new = [token for token in dict.fromkeys(ids) if not self._token_table.has_met(token)]
        for start in range(0, len(new), _MOST_AT_ONCE):
            some = new[start : start + _MOST_AT_ONCE]
            whole = self._tokenizer.decode([part for token in some for part in (*self._anchor, token)])
            before, *parts = whole.split(self._prefix)
            if not before and len(parts) == len(some):
                self._token_table.meet({token: part.encode() for token, part in zip(some, parts, strict=True)})

    def _served_bytes(self, token: int) -> bytes:
        whole = self._tokenizer.decode([*self._anchor, token])
        if whole.startswith(self._prefix):
            return whole[len(self._prefix) :].encode()
        return self._tokenizer.decode([token]).encode()
