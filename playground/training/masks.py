"""Which tokens a row becomes, and which of them count in the loss: the same as TRL's trainers make of it. Runs no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

from playground.engine.api import TextCodec
from playground.engine.types import TokenIds
from playground.errors import BadInput, BadPrompt, CapabilityMissing
from playground.training.conversation import Context
from playground.training.demonstrations import Demonstration
from playground.training.pairs import Pair
from playground.training.settings import TrainSettings


@runtime_checkable
class Conversing(Protocol):
    """A codec that can put a whole conversation into the model's chat template."""

    def encode_messages(self, messages: Sequence[tuple[str, str]], *, answering: bool) -> TokenIds:
        """Ids of (role, content) messages; ``answering``: up to where the assistant's answer begins."""


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A row as the model reads it. ``counted``: which tokens count in the loss; the first never does, nothing predicts it.

    ``prompt_tokens``: how many come before the response. ``cut``: whether its end was cut off.
    """

    ids: TokenIds
    counted: tuple[bool, ...]
    prompt_tokens: int
    cut: bool = False

    @property
    def taught(self) -> int:
        """How many tokens count."""
        return sum(self.counted)


def masked_text(
    codec: TextCodec, demonstration: Demonstration, *, mask_prompt: bool = True, chat: bool = True
) -> MaskedText:
    """A demonstration in the model's chat template, or as plain text that ends with the end token.

    The response begins where the ids of prompt and whole part ways, as in TRL 1.16 (completion_only_loss). Raises
    CapabilityMissing where the codec knows no template for a whole conversation.
    """
    text = respond(codec, demonstration.context, demonstration.response, chat=chat)
    if mask_prompt:
        return text
    return replace(text, counted=(False, *(True,) * (len(text.ids) - 1)))


def respond(codec: TextCodec, context: Context, response: str, *, chat: bool) -> MaskedText:
    """``response`` after what leads to it, the response alone counted."""
    prompt, whole = _ids(codec, context, response, chat)
    begin = max(1, _common_prefix(prompt, whole))
    return MaskedText(whole, (False,) * begin + (True,) * (len(whole) - begin), begin)


def masked_pair(codec: TextCodec, pair: Pair, *, chat: bool = True) -> tuple[MaskedText, MaskedText]:
    """Chosen and rejected, each after the same prompt: both begin where the first of them parts from it (TRL's DPOTrainer)."""
    chosen, rejected = (respond(codec, pair.context, text, chat=chat) for text in (pair.chosen, pair.rejected))
    begin = min(chosen.prompt_tokens, rejected.prompt_tokens)
    return _counted_from(chosen, begin), _counted_from(rejected, begin)


def _counted_from(text: MaskedText, begin: int) -> MaskedText:
    return MaskedText(text.ids, (False,) * begin + (True,) * (len(text.ids) - begin), begin)


def _ids(codec: TextCodec, context: Context, response: str, chat: bool) -> tuple[TokenIds, TokenIds]:
    if not chat:
        begin = "\n".join(message.content for message in context.messages)
        end = codec.eos_token_ids[:1]
        return codec.encode(begin), (*codec.encode(begin + response), *end)
    if not isinstance(codec, Conversing):
        raise CapabilityMissing(
            "This model's chat template is not known here as a whole: teach plain text, or choose a model of this machine."
        )
    messages = [(message.role, message.content) for message in context.messages]
    whole = [*messages, ("assistant", response)]
    return codec.encode_messages(messages, answering=True), codec.encode_messages(whole, answering=False)


def _common_prefix(one: TokenIds, other: TokenIds) -> int:
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))


def cut(text: MaskedText, most: int) -> MaskedText:
    """Its first ``most`` tokens, as TRL's ``max_length`` keeps them."""
    if len(text.ids) <= most:
        return text
    return MaskedText(text.ids[:most], text.counted[:most], min(text.prompt_tokens, most), True)


Row = Demonstration | Pair
Encoded = MaskedText | tuple[MaskedText, MaskedText]


class EncodedRows(NamedTuple):
    """``places``: of each, where it stood among the rows. ``notes``: sentences on what was cut or left out."""

    encoded: tuple[Encoded, ...]
    places: tuple[int, ...]
    notes: tuple[str, ...]


def encode_rows(
    codec: TextCodec,
    rows: Sequence[Row],
    settings: TrainSettings,
    context_length: int,
    *,
    may_be_none: bool = False,
) -> EncodedRows:
    """Rows as ids: long ones are cut at their end for demonstrations, and left out for pairs, whose comparison a cut would
    change. Raises BadInput where nothing is left to learn from, unless that ``may_be_none``, as of held-out rows.
    """
    most = min(settings.most_tokens, context_length)
    encodings: list[Encoded] = []
    places: list[int] = []
    shortened = dropped = unread = 0
    for place, row in enumerate(rows):
        try:
            encoded = _encoded(codec, row, settings, most)
        except BadPrompt:  # so long that it is not even encoded
            unread += 1
            continue
        if encoded is None:
            dropped += 1
            continue
        shortened += isinstance(encoded, MaskedText) and encoded.cut
        encodings.append(encoded)
        places.append(place)
    notes = []
    if shortened:
        notes.append(f"{shortened} of {len(rows)} rows have more than {most:,} tokens and were cut at their end.")
    if dropped:
        why = "pairs have" if rows and isinstance(rows[0], Pair) else "rows have a prompt of"
        notes.append(f"{dropped} of {len(rows)} {why} more than {most:,} tokens and were left out.")
    if unread:
        notes.append(
            f"{unread} of {len(rows)} rows are far longer than the {context_length:,} tokens that the model reads and were "
            "left out."
        )
    if rows and not encodings and not may_be_none:
        raise BadInput(
            f"All {len(rows)} rows are longer than {most:,} tokens: shorten them, or raise most_tokens (the model reads "
            f"{context_length:,}).",
            "most_tokens",
        )
    return EncodedRows(tuple(encodings), tuple(places), tuple(notes))


def _encoded(codec: TextCodec, row: Row, settings: TrainSettings, most: int) -> Encoded | None:
    """None for a pair that is too long, and for a demonstration of whose response nothing is left."""
    if isinstance(row, Pair):
        both = masked_pair(codec, row, chat=settings.chat)
        return both if max(len(text.ids) for text in both) <= most else None
    text = cut(masked_text(codec, row, mask_prompt=settings.mask_prompt, chat=settings.chat), most)
    return text if text.taught else None


def tokens_of(encoded: Encoded) -> int:
    """Tokens a pass over a row reads."""
    if isinstance(encoded, MaskedText):
        return len(encoded.ids)
    return sum(len(text.ids) for text in encoded)
