"""Preference pairs (prompt, chosen, rejected): read from TRL's formats, checked and written. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.errors import BadInput
from playground.tables import UnreadableTable, text_of
from playground.training.conversation import Context, Message, foreign_marks, read_context, read_messages, too_long
from playground.training.demonstrations import read_rows

MOST_PAIRS = 2000


@dataclass(frozen=True, slots=True)
class Pair:
    """``chosen`` was preferred to ``rejected``. ``margin``: by how much, where that was asked; for the reward loss."""

    prompt: str
    chosen: str
    rejected: str
    system: str = ""
    margin: float | None = None
    earlier: tuple[str, ...] = ()

    @property
    def context(self) -> Context:
        return Context(self.prompt, self.system, self.earlier)

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for rows that teach the same: case and spaces aside."""
        texts = (self.system, *self.earlier, self.prompt, self.chosen, self.rejected)
        return tuple(" ".join(text.casefold().split()) for text in texts)


def check_pair(pair: Pair) -> None:
    """Raises BadInput where it teaches nothing."""
    if problem := _problem(pair):
        raise BadInput(f"This pair {problem}.", "pairs")


def _problem(pair: Pair) -> str | None:
    if not pair.chosen.strip() or not pair.rejected.strip():
        return "has an empty response; write both, or delete the row"
    if pair.chosen.strip() == pair.rejected.strip():
        return "prefers a text to itself; a tie teaches nothing, delete the row"
    if pair.margin is not None and not math.isfinite(pair.margin):
        return "has a margin that is no number"
    return too_long(prompt=pair.prompt, chosen=pair.chosen, rejected=pair.rejected, system=pair.system)


def read_pairs(data: bytes, file_name: str = "") -> tuple[tuple[Pair, ...], tuple[str, ...]]:
    """The pairs of a file, and sentences on what was left out or is odd.

    JSON lines, a JSON list or a CSV with ``prompt``, ``chosen`` and ``rejected`` as TRL's trainers take them, as text or as
    messages; without ``prompt`` it is what both begin with. Ties (equal texts) are left out and counted. Raises BadInput
    that names the line, and where nothing but ties is left.
    """
    rows, notes = read_rows(data, file_name, _pair, MOST_PAIRS)
    kept: list[Pair] = []
    ties = 0
    for line, pair in rows:
        if pair.chosen.strip() == pair.rejected.strip() and pair.chosen.strip():
            ties += 1
        elif problem := _problem(pair):
            raise BadInput(f"The file cannot be used: line {line} {problem}.", "pairs")
        else:
            kept.append(pair)
    if not kept:
        raise BadInput("All pairs are ties: nothing says which answer is better. Give pairs with a winner.", "pairs")
    if ties:
        notes = (
            *notes,
            f"{ties} of {len(rows)} pairs are ties and were left out: they say nothing about what is better.",
        )
    return tuple(kept), (*notes, *odd_pairs(kept))


def _pair(row: Mapping[str, Any]) -> Pair:
    lacking = [name for name in ("chosen", "rejected") if name not in row]
    if lacking:
        raise UnreadableTable(f"has no {' and no '.join(lacking)}; give prompt, chosen and rejected")
    margin = _margin(row.get("margin"))
    chosen, rejected, prompt = row["chosen"], row["rejected"], row.get("prompt")
    if isinstance(chosen, list) and isinstance(rejected, list):
        given = read_messages(prompt) if isinstance(prompt, list) else ()
        if isinstance(prompt, str) and prompt:
            given = (Message("user", prompt),)
        winner, loser = (*given, *read_messages(chosen)), (*given, *read_messages(rejected))
        if winner[:-1] != loser[:-1]:
            raise UnreadableTable("answers two prompts; both responses must follow the same messages")
        if winner[-1].role != "assistant" or loser[-1].role != "assistant":
            raise UnreadableTable("does not end with the assistant's messages, which are what is compared")
        context = read_context(winner[:-1])
        return Pair(context.prompt, winner[-1].content, loser[-1].content, context.system, margin, context.earlier)
    if isinstance(chosen, list) or isinstance(rejected, list) or isinstance(prompt, list):
        raise UnreadableTable("has texts and messages mixed; write all three as messages or all as text")
    if prompt is None:
        raise UnreadableTable("has no prompt; give prompt, chosen and rejected")
    return Pair(text_of(prompt), text_of(chosen), text_of(rejected), text_of(row.get("system")), margin)


def _margin(value: object) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(str(value))
    except ValueError:
        raise UnreadableTable(f"has the margin {str(value)[:20]!r}, which is no number") from None


def odd_pairs(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Sentences on pairs that contradict each other, repeat, or spell a template's marks."""
    notes = []
    keys = {pair.key for pair in pairs}
    against = sum(1 for key in keys if (*key[:-2], key[-1], key[-2]) in keys) // 2
    if against:
        share = "all of them, so nothing can be learnt" if 2 * against == len(keys) else "no training satisfies both"
        notes.append(f"{against} pairs are there in both directions: {share}.")
    if len(keys) < len(pairs):
        notes.append(
            f"{len(pairs) - len(keys)} of {len(pairs)} pairs are there more than once: repeated votes count more."
        )
    marks = [mark for pair in pairs if (mark := foreign_marks(pair.prompt, pair.chosen, pair.rejected))]
    if marks:
        notes.append(
            f"{len(marks)} pairs spell marks of a chat template ({marks[0]}): the model's own template is put around the "
            "texts, so give them without."
        )
    return tuple(notes)


def write_pairs(pairs: Sequence[Pair]) -> str:
    """JSON lines of conversational ``prompt``, ``chosen``, ``rejected``, as TRL's DPOTrainer and RewardTrainer take them."""
    lines = []
    for pair in pairs:
        line: dict[str, Any] = {
            "prompt": [{"role": message.role, "content": message.content} for message in pair.context.messages],
            "chosen": [{"role": "assistant", "content": pair.chosen}],
            "rejected": [{"role": "assistant", "content": pair.rejected}],
        }
        lines.append(line if pair.margin is None else {**line, "margin": pair.margin})
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
