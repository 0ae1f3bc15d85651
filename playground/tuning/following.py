"""A model asked along a reference: the ids of both, its rows one after the other, and the chain on them.

Of a prompt without a reference it is asked for the next token's row alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock

import numpy as np

from playground.engine.api import CancelToken, Engine, Rows
from playground.engine.facets import require
from playground.engine.limits import check_ids
from playground.engine.pieces import Pieces
from playground.engine.text.prompt import continuation_ids, encode_prompt
from playground.engine.types import TokenIds
from playground.errors import BadInput, LimitReached
from playground.inspection.next_token import breaker_ids
from playground.sampling.settings import SamplerSettings
from playground.tuning.examples import Example
from playground.tuning.reach import Reach, reach_along
from playground.tuning.reach_map import ReachMap, Reference, refuse_too_large

_DRY = SamplerSettings(dry_multiplier=1)  # with the usual sequence breakers


def reference_ids(engine: Engine, example: Example, *, chat: bool) -> tuple[TokenIds, TokenIds]:
    """The ids of the prompt and of the reference as it goes on after it. Raises BadInput for a reference without any."""
    prompt = _prompt_ids(engine, example, chat=chat)
    reference = continuation_ids(engine.codec, example.reference)
    if not reference:
        raise BadInput("The reference is empty; write what the settings should be able to say.", "reference")
    return prompt, reference


def _prompt_ids(engine: Engine, example: Example, *, chat: bool) -> TokenIds:
    if example.system and not chat:
        raise BadInput(
            "it has a system prompt, which raw text has none of: read prompts as a chat, or leave it out.", "system"
        )
    return encode_prompt(engine.codec, example.prompt, chat=chat, system=example.system or None)


def follow_reference(
    engine: Engine, example: Example, settings: SamplerSettings, *, chat: bool, cancel: CancelToken | None = None
) -> tuple[TokenIds, Reach]:
    """One teacher-forced pass, and at each token of the reference the chain. A few rows are held at a time.

    The prompt's ids come with the result. Raises BadInput and CapabilityMissing.
    """
    prompt, reference = reference_ids(engine, example, chat=chat)
    rows = require(engine, Rows).rows_along((*prompt, *reference), len(prompt), cancel=cancel)
    breakers = breaker_ids(engine.codec, settings, (*prompt, *reference))
    return prompt, reach_along(rows, prompt, reference, settings, breakers)


def read_references(
    engine: Engine, examples: Sequence[Example], *, chat: bool, cancel: CancelToken | None = None
) -> Pieces[tuple[Reference, ...]]:
    """What a ``ReachMap`` holds, with turns for others between a few rows each: the model's rows along every reference.

    Raises BadInput before the model is asked where they would take too much memory, and CapabilityMissing.
    """
    facet = require(engine, Rows)
    encoded = [reference_ids(engine, example, chat=chat) for example in examples]
    refuse_too_large(sum(len(reference) for _prompt, reference in encoded) * engine.info.vocab_size * 4)
    references = []
    for prompt, reference in encoded:
        blocks = []
        for block in facet.rows_along((*prompt, *reference), len(prompt), cancel=cancel):
            blocks.append(block)
            yield
        breakers = breaker_ids(engine.codec, _DRY, (*prompt, *reference))
        references.append(Reference(prompt, reference, np.concatenate(blocks), breakers))
    return tuple(references)


@dataclass(frozen=True, slots=True, eq=False)
class HeldReach:
    """What settings can be looked at with, and no model. ``numbers``: of the examples in ``along``, from 0.

    ``along``: rows along every reference, None where there is none. ``openings``: of every readable example, in the order
    of ``opened``, the row of its first token; the token looked at is the likeliest. ``problems``: by example, why it could
    not be read. ``lock``: a map is for one thread at a time.
    """

    along: ReachMap | None
    numbers: tuple[int, ...]
    openings: ReachMap | None
    opened: tuple[int, ...]
    problems: Mapping[int, str]
    lock: RLock = field(default_factory=RLock)

    @property
    def rows_bytes(self) -> int:
        """Of the rows held; what is sorted of them is about as much again."""
        held = self.along.references if self.along is not None else ()
        return sum(each.rows.nbytes for each in held) + sum(
            each.rows.nbytes for each in (self.openings.references if self.openings is not None else ())
        )


def read_reach(
    engine: Engine,
    examples: Sequence[Example],
    *,
    chat: bool,
    admit: Callable[[int], None] = lambda tokens: None,
    cancel: CancelToken | None = None,
) -> Generator[float | None, None, HeldReach]:
    """The model's rows for examples with and without a reference; yields which part is done, 0 to 1, None between.

    ``admit`` raises LimitReached for a prompt and reference of more tokens than may be asked for. Raises BadInput where the
    rows would take too much memory, and CapabilityMissing; what is wrong with one example alone is told in ``problems``.
    """
    facet, width = require(engine, Rows), engine.info.vocab_size * 4
    readable: list[tuple[int, Example]] = []
    problems: dict[int, str] = {}
    expected = 0
    for number, example in enumerate(examples):
        try:
            prompt, reference = _ids(engine, example, chat=chat)
            check_ids((*prompt, *reference), engine.info)
            admit(len(prompt) + len(reference))
        except (BadInput, LimitReached) as error:
            problems[number] = str(error)
            continue
        readable.append((number, example))
        expected += max(1, len(reference))
        yield None
    refuse_too_large(expected * width)
    along: list[Reference] = []
    openings: list[Reference] = []
    for done, (_number, example) in enumerate(readable):
        if example.reference:
            (read,) = yield from read_references(engine, [example], chat=chat, cancel=cancel)
            along.append(read)
            first = read.rows[:1]
        else:
            prompt, _none = _ids(engine, example, chat=chat)
            read = Reference(prompt, (), np.empty((0, 0), dtype=np.float32))
            first = np.concatenate(list(facet.rows_along((*prompt, prompt[-1]), len(prompt), cancel=cancel)))
        openings.append(Reference(read.prompt_ids, (int(first[0].argmax()),), first, read.breakers))
        yield (done + 1) / len(readable)
    return HeldReach(
        ReachMap(along) if along else None,
        tuple(number for number, example in readable if example.reference),
        ReachMap(openings) if openings else None,
        tuple(number for number, _example in readable),
        problems,
    )


def _ids(engine: Engine, example: Example, *, chat: bool) -> tuple[TokenIds, TokenIds]:
    """Of the prompt and of the reference, () where it has none."""
    if example.reference:
        return reference_ids(engine, example, chat=chat)
    return _prompt_ids(engine, example, chat=chat), ()
