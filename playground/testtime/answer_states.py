"""What a model's head reads at the end of an answer: the features of a reward head.

An answer is read as a chat in the model's own template, to its end-of-turn; with a model that has no template as plain text that
ends with the end token. System prompts are left out: a reward here is of a prompt and an answer. The engine remembers states.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np

from playground.engine.api import CancelToken, Engine, Hidden
from playground.engine.facets import require
from playground.engine.limits import check_ids
from playground.engine.types import FloatArray, TokenIds
from playground.testtime.batching import plan_readings, usable_bytes
from playground.training.conversation import Context
from playground.training.masks import respond


def answer_ids(engine: Engine, prompt: str, answer: str) -> TokenIds:
    """The ids that are read. Raises BadPrompt for what cannot be, CapabilityMissing for a template not known whole."""
    ids = respond(engine.codec, Context(prompt), answer, chat=engine.info.has_chat_template).ids
    return check_ids(ids, engine.info)


def read_states(engine: Engine, texts: Sequence[TokenIds], cancel: CancelToken) -> Generator[int, None, FloatArray]:
    """(texts, hidden) float32; its steps: how many are read. Those of like length side by side. Raises CapabilityMissing."""
    facet = require(engine, Hidden)
    distinct = sorted(dict.fromkeys(texts), key=len)
    states: dict[TokenIds, FloatArray] = {}
    for places in plan_readings(facet.info, [len(ids) for ids in distinct], 0, usable_bytes(facet.info)):
        cancel.check()
        group = [distinct[place] for place in places]
        pieces = facet.last_states_in_pieces(group, cancel=cancel)
        while True:
            try:
                next(pieces)
            except StopIteration as end:
                states |= zip(group, end.value, strict=True)
                break
            yield len(states)
        yield len(states)
    return np.stack([states[ids] for ids in texts])
