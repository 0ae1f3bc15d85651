"""Text to token ids and back, for one tokenizer, here or behind an address.

Two promises that a tokenizer alone does not give: what a user types is text (a spelt-out ``<|im_end|>`` is seven
ordinary tokens, inside a chat message too), and every token has exact bytes, so that half an emoji is shown as the
bytes it is. Knows nothing of models, pages or probabilities.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from cachetools import LRUCache

from playground.engine.text.chat import ChatTemplate
from playground.engine.text.display import bracket
from playground.engine.text.encoders import Encoder, make_encoder
from playground.engine.text.token_bytes import TokenTable, build_table
from playground.engine.text.utf8 import added_text, pending_bytes
from playground.errors import BadPrompt
from playground.models.foreign import foreign_errors
from playground.models.info import ModelInfo
from playground.models.wording import reason_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_REMEMBERED_TEXTS = 64
_REMEMBERED_CHARACTERS = 20_000  # longer texts are not worth their memory
_LONGEST_CHARACTER_BYTES = 4


def check_text(text: str, field: str = "prompt") -> None:
    """Raise BadPrompt when ``text`` has half a surrogate pair, which is no character and has no bytes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadPrompt(
            f"The {field} has a broken character at position {error.start + 1} (half of a surrogate pair): "
            "delete it and type or paste the text again.",
            field=field,
        ) from None


class TableCodec:
    """A ``TextCodec`` over an encoder and a table of tokens. Safe to call from any thread."""

    def __init__(self, encoder: Encoder, chat: ChatTemplate, info: ModelInfo) -> None:
        self._info = info
        self._lock = threading.Lock()
        self._encoder = encoder
        self._encoded: LRUCache[tuple[str, bool], tuple[int, ...]] = LRUCache(_REMEMBERED_TEXTS)
        self._chat = chat

    @property
    def _table(self) -> TokenTable:
        raise NotImplementedError

    @property
    def _leading_ids(self) -> tuple[int, ...]:
        """What the tokenizer puts before a text."""
        raise NotImplementedError

    @property
    def _bos_id(self) -> int | None:
        """The token that begins a text, where the tokenizer names one."""
        raise NotImplementedError

    # -- text to ids ---------------------------------------------------------------------------------------------

    def encode(self, text: str, *, parse_special: bool = False) -> tuple[int, ...]:
        """Ids of ``text``, after the start token where the tokenizer adds one.

        A spelt-out special token is text unless ``parse_special``. Raises BadPrompt on half a surrogate pair, and
        on a text so long that no tokenization of it could fit the context (refused before the work).
        """
        check_text(text)
        self._refuse_oversized(text)
        return self._leading_ids + self._encode_part(text, parse_special)

    def count(self, text: str) -> int:
        """How many tokens ``encode`` gives for ``text``; same errors."""
        return len(self.encode(text))

    def encode_chat(self, text: str, *, system: str | None = None, parse_special: bool = False) -> tuple[int, ...]:
        """Ids of one user message in the model's own chat template, ready to be answered.

        The template is rendered with placeholders. Where neither message spells a special token, the whole is
        tokenized at once, as ``apply_chat_template`` does. Otherwise the template's own special tokens become their
        ids, the text between them is tokenized with special tokens as text, and the parts are joined: a tokenizer
        cuts its input at special tokens before anything else, so no merge is lost.

        Raises CapabilityMissing without a template or without a place for ``system``; BadPrompt as ``encode``.
        """
        check_text(text)
        check_text(system or "", "system prompt")
        self._refuse_oversized(text + (system or ""))
        parts, apart = self._chat.render(text, system)
        if not apart and not parse_special and self._names_special(text + "\n" + (system or "")):
            raise BadPrompt(
                f"The chat template of {self._info.name} rewrites messages, so a special token spelt in yours cannot be "
                "kept apart from its own: leave it out, or switch to a raw prompt.",
                field="prompt",
            )
        whole = "".join(part for part, _typed in parts)
        if parse_special or not self._spells_special(parts):
            return self._encode_part(whole, True)
        ids: list[int] = []
        pending = ""  # text not tokenized yet: typed text and template text between two special tokens
        for part, typed in parts:
            if typed:
                pending += part
                continue
            for piece, special_id in self._table.split_special(part):
                if special_id is None:
                    pending += piece
                    continue
                ids.extend(self._encode_part(pending, False))
                pending = ""
                ids.append(special_id)
        ids.extend(self._encode_part(pending, False))
        return tuple(ids)

    def _names_special(self, text: str) -> bool:
        return any(special_id is not None for _piece, special_id in self._table.split_special(text))

    def _spells_special(self, parts: Sequence[tuple[str, bool]]) -> bool:
        """Whether typed text spells a special token, alone or together with the template's text beside it."""
        whole = "".join(part for part, _typed in parts)
        of_template = sum(
            special_id is not None
            for part, typed in parts
            if not typed
            for _piece, special_id in self._table.split_special(part)
        )
        return of_template != sum(special_id is not None for _piece, special_id in self._table.split_special(whole))

    def _encode_part(self, text: str, parse_special: bool) -> tuple[int, ...]:
        """Ids of ``text`` alone, without a start token. Recently asked short texts are remembered."""
        if not text:
            return ()
        key = (text, parse_special)
        with self._lock:
            token_ids = self._encoded.get(key)
        if token_ids is not None:
            return token_ids
        with foreign_errors(self._cannot_read):
            ids = tuple(self._encoder.encode(text, parse_special))
        self._require_in_vocabulary(ids)
        if len(text) <= _REMEMBERED_CHARACTERS:
            with self._lock:
                self._encoded[key] = ids
        return ids

    def _cannot_read(self, error: BaseException) -> BadPrompt:
        return BadPrompt(
            f"The tokenizer of {self._info.name} could not read this text ({reason_text(error)}): change the text, or "
            "choose another model.",
            field="prompt",
        )

    def _require_in_vocabulary(self, ids: tuple[int, ...]) -> None:
        """Raise BadPrompt for a token of which the model has no row: its tokenizer has more tokens than it knows."""
        outside = next((token for token in ids if token >= self._info.vocab_size), None)
        if outside is not None:
            raise BadPrompt(
                f"The tokenizer of {self._info.name} makes token {outside} ({self.piece(outside)!r}) of this text, and the "
                f"model knows {self._info.vocab_size:,} tokens only: change the text there, or choose another model.",
                field="prompt",
            )

    def _refuse_oversized(self, text: str) -> None:
        """Raise BadPrompt when even the longest tokens could not make ``text`` fit the context."""
        limit = self._info.context_length * max(self._table.longest_bytes, _LONGEST_CHARACTER_BYTES)
        if len(text) > limit:
            raise BadPrompt(
                f"The text has {len(text):,} characters, which cannot fit the {self._info.context_length:,} tokens "
                f"of {self._info.name}: shorten it.",
                field="prompt",
            )

    # -- ids to text ---------------------------------------------------------------------------------------------

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ``ids``; bytes that make no character become U+FFFD. Special tokens are spelt out."""
        token_ids = [int(token) for token in ids]
        if self._table.joins:
            return b"".join(self._table.spelling(token) for token in token_ids).decode("utf-8", errors="replace")
        return self._encoder.decode(token_ids)

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes a token stands for (b"" for a special token and for an id the tokenizer does not know)."""
        return self._table.token_bytes(token_id)

    def piece(self, token_id: int, context: Sequence[int] = ()) -> str:
        """What a token adds after ``context`` (the last few ids suffice), as plain text.

        A character that the token completes is shown whole, bytes that complete none as ``<0xF0>``, a special token
        as its name in ⟨⟩, an id without a token as ``⟨id 50000⟩``.
        """
        name = self._table.name(token_id)
        if name is not None:
            return bracket(name)
        data = self._table.token_bytes(token_id)
        if data.isascii():
            return data.decode("ascii")
        return added_text(self._pending_of(context), data)

    def _pending_of(self, context: Sequence[int]) -> bytes:
        """The unfinished character at the end of ``context``: at most three bytes, never across a special token."""
        tail = b""
        for token in reversed(context):
            if self._table.name(token) is not None:
                break
            tail = self._table.token_bytes(token) + tail
            if len(tail) >= _LONGEST_CHARACTER_BYTES:
                break
        return pending_bytes(tail)

    def learn(self, ids: Iterable[int]) -> None:
        """Some tokens' texts will be wanted: for a codec that has to ask for them."""

    def is_special(self, token_id: int) -> bool:
        return self._table.name(token_id) is not None

    @property
    def eos_token_ids(self) -> tuple[int, ...]:
        return self._info.eos_token_ids

    @property
    def start_ids(self) -> tuple[int, ...]:
        """What a model is given for an empty prompt: the tokens put before any text, else its bos token, else ()."""
        if self._leading_ids:
            return self._leading_ids
        return () if self._bos_id is None else (self._bos_id,)


def leading_ids(dressed: Sequence[int], bare: Sequence[int]) -> tuple[int, ...]:
    """What a tokenizer puts before a text, from one text with and without. What it puts after one (T5's end token) would
    end it: left out.

    >>> leading_ids([1, 7, 2], [7])
    (1,)
    """
    for start in range(len(dressed) - len(bare) + 1):
        if list(dressed[start : start + len(bare)]) == list(bare):
            return tuple(dressed[:start])
    return ()


class HfTextCodec(TableCodec):
    """The codec of a transformers tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, info: ModelInfo) -> None:
        super().__init__(make_encoder(tokenizer), ChatTemplate(tokenizer, info.name), info)
        self._tokenizer = tokenizer

    @cached_property
    def _table(self) -> TokenTable:
        with foreign_errors(self._cannot_read), self._lock:
            return build_table(self._tokenizer, self._info.vocab_size)

    @cached_property
    def _leading_ids(self) -> tuple[int, ...]:
        with foreign_errors(self._cannot_read):
            dressed = list(self._tokenizer("a")["input_ids"])
            ids = leading_ids(dressed, list(self._tokenizer("a", add_special_tokens=False)["input_ids"]))
        self._require_in_vocabulary(ids)
        return ids

    @property
    def _bos_id(self) -> int | None:
        bos = self._tokenizer.bos_token_id
        return None if bos is None else int(bos)

    def encode_messages(self, messages: Sequence[tuple[str, str]], *, answering: bool) -> tuple[int, ...]:
        """Ids of a conversation of (role, content) in the model's template, special tokens read as such.

        ``answering``: up to where the assistant's answer begins. Raises CapabilityMissing where the template cannot, and
        BadPrompt as ``encode``.
        """
        for _role, content in messages:
            check_text(content)
        self._refuse_oversized("".join(content for _role, content in messages))
        return self._encode_part(self._chat.render_messages(messages, answering=answering), True)

    @property
    def eos_token_ids(self) -> tuple[int, ...]:
        if self._info.eos_token_ids:
            return self._info.eos_token_ids
        eos = self._tokenizer.eos_token_id
        return () if eos is None else (int(eos),)
