"""From what a person typed to the ids a model reads: the one rule of every page and command.

Knows a codec and nothing of pages, flags or models.
"""

from __future__ import annotations

from playground.engine.api import TextCodec
from playground.engine.types import TokenIds
from playground.errors import BadPrompt

_ANCHORS = ("\n", "a", ":")  # texts that tokenizers rarely join with what follows


def encode_prompt(
    codec: TextCodec, text: str, *, chat: bool = False, system: str | None = None, parse_special: bool = False
) -> TokenIds:
    """Ids of ``text`` as it is, or as one user message in the model's chat template, ready to be answered.

    ``system`` counts in a chat only; None and "" both leave the template's default. An empty raw text is the model's
    start token where it has one. Raises BadPrompt for a text without any id, an empty message and half a character,
    CapabilityMissing for a chat with a model that has no template.
    """
    if chat:
        if not text.strip():
            raise BadPrompt("The message is empty: type something for the model to answer.", "prompt")
        return codec.encode_chat(text, system=system or None, parse_special=parse_special)
    ids = codec.encode(text, parse_special=parse_special) or codec.start_ids
    if not ids:
        raise BadPrompt("The prompt is empty: type at least one character for the model to continue.", "prompt")
    return ids


def continuation_ids(codec: TextCodec, text: str, *, parse_special: bool = False) -> TokenIds:
    """Token ids of ``text`` as it goes on after other text: without a start token, and without the space that some
    tokenizers put in front of every text (SentencePiece: alone, " Paris" would have that space twice and "Paris" once).

    Read behind an anchor whose own ids stay as they are; alone where every anchor would be joined with the text.
    """
    for anchor in _ANCHORS:
        before, both = codec.encode(anchor), codec.encode(anchor + text, parse_special=parse_special)
        if both[: len(before)] == before:
            return both[len(before) :]
    start, ids = codec.start_ids, codec.encode(text, parse_special=parse_special)
    return ids[len(start) :] if start and ids[: len(start)] == start else ids
