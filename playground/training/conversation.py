"""Messages as a chat format writes them, read with clear refusals: what demonstrations and preference pairs share. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.tables import UnreadableTable, text_of

LONGEST_TEXT = 20_000  # characters of one text
_MARKS = re.compile(
    r"<\|im_(?:start|end)\|>|\[/?INST\]|<<SYS>>|<\|(?:user|assistant|system|eot_id|start_header_id)\|>|"
    r"<(?:start|end)_of_turn>|^###\s*(?:Instruction|Response|Human|Assistant)\b|^(?:Human|Assistant):",
    re.M,
)


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Context:
    """What stands before a response. ``earlier``: turns of user and assistant, alternating, before ``prompt``."""

    prompt: str
    system: str = ""
    earlier: tuple[str, ...] = ()

    @property
    def messages(self) -> tuple[Message, ...]:
        turns = (*self.earlier, self.prompt)
        own = tuple(Message("assistant" if place % 2 else "user", turn) for place, turn in enumerate(turns))
        return (Message("system", self.system), *own) if self.system else own


def read_messages(value: object) -> tuple[Message, ...]:
    """A list of ``{"role": …, "content": …}``. Raises UnreadableTable, a clause."""
    if not isinstance(value, list) or not value:
        raise UnreadableTable('has no list of messages; write [{"role": "user", "content": …}, …]')
    return tuple(_message(item) for item in value)


def _message(item: object) -> Message:
    if not isinstance(item, Mapping) or not isinstance(item.get("role"), str):
        raise UnreadableTable('has a message without a role; write {"role": "user", "content": …}')
    role, content = str(item["role"]), item.get("content")
    if role not in ("system", "user", "assistant"):
        raise UnreadableTable(f"has the role {role[:20]!r}; the roles are system, user and assistant")
    if not isinstance(content, str):
        raise UnreadableTable(f"has a {role} message that is no text; images and tools are not taught here")
    return Message(role, text_of(content))


def read_context(messages: Sequence[Message]) -> Context:
    """What leads to a response: a system prompt or none, then user and assistant in turn, a user at the end.

    Raises UnreadableTable, a clause.
    """
    system = messages[0].content if messages and messages[0].role == "system" else ""
    turns = messages[1:] if messages and messages[0].role == "system" else messages
    for place, message in enumerate(turns):
        wanted = "assistant" if place % 2 else "user"
        if message.role != wanted:
            raise UnreadableTable(
                f"has its roles out of order: message {place + 1} is the {message.role}'s and should be the {wanted}'s"
            )
    if len(turns) % 2 == 0:
        raise UnreadableTable("has no user's message before the response")
    return Context(turns[-1].content, system, tuple(turn.content for turn in turns[:-1]))


def foreign_marks(*texts: str) -> str | None:
    """A mark of some chat template that a text spells out, if one does: the model would learn it as part of its answer."""
    match = next((match for text in texts if (match := _MARKS.search(text))), None)
    return None if match is None else match.group().strip()


def too_long(**texts: str) -> str | None:
    """Which of the texts has more than ``LONGEST_TEXT`` characters, as a clause."""
    for name, text in texts.items():
        if len(text) > LONGEST_TEXT:
            return f"has a {name} of {len(text):,} characters; {LONGEST_TEXT:,} are the most"
    return None
