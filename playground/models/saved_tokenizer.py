"""The bundled model's tokenizer without transformers, whose import takes longer than everything else before the first bars.

It has what ``engine.codec`` asks of a transformers tokenizer and gives the same answers (a test holds the two against
each other); a chat template is rendered by transformers itself, imported then.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any


class SavedTokenizer:
    """A fast tokenizer saved in ``folder`` by ``conversion``. Raises OSError or ValueError where it cannot be read."""

    is_fast = True

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._folder = folder
        self._config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        template = folder / "chat_template.jinja"
        self.chat_template = template.read_text(encoding="utf-8") if template.is_file() else None
        self.backend_tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def __call__(self, text: str, *, add_special_tokens: bool = True) -> dict[str, list[int]]:
        return {"input_ids": self.backend_tokenizer.encode(text, add_special_tokens=add_special_tokens).ids}

    def decode(self, ids: list[int], *, skip_special_tokens: bool, clean_up_tokenization_spaces: bool) -> str:
        return str(self.backend_tokenizer.decode(ids, skip_special_tokens=skip_special_tokens))

    def get_vocab(self) -> dict[str, int]:
        return dict(self.backend_tokenizer.get_vocab(with_added_tokens=True))

    def apply_chat_template(self, messages: list[dict[str, str]], **options: Any) -> Any:
        return self._whole.apply_chat_template(messages, **options)

    @property
    def added_tokens_decoder(self) -> dict[int, Any]:
        return dict(self.backend_tokenizer.get_added_tokens_decoder())

    @property
    def all_special_tokens(self) -> list[str]:
        return [entry.content for entry in self.added_tokens_decoder.values() if entry.special]

    @property
    def all_special_ids(self) -> list[int]:
        return [token for token, entry in self.added_tokens_decoder.items() if entry.special]

    @property
    def eos_token_id(self) -> int | None:
        return self._id_of("eos_token")

    @property
    def bos_token_id(self) -> int | None:
        return self._id_of("bos_token")

    def _id_of(self, name: str) -> int | None:
        token = self._config.get(name)
        return None if token is None else self.backend_tokenizer.token_to_id(token)

    @cached_property
    def _whole(self) -> Any:
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast.from_pretrained(self._folder, local_files_only=True)
