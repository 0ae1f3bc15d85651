"""The features of a ballot's answers: asked of the model once, remembered by its engine and by the session."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.engine.types import FloatArray, TokenIds
from playground.errors import BadInput, BadPrompt
from playground.testtime.answer_states import answer_ids, read_states
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.runtime import session_id

Texts = tuple[tuple[str, str], ...]


@dataclass(eq=False)
class _Read:
    """By slot: of which texts by which model, and the states (texts, hidden)."""

    states: dict[str, tuple[tuple[str, Texts], FloatArray]] = field(default_factory=dict)


def _ids(engine: Engine, prompt: str, answer: str) -> TokenIds:
    """Raises BadInput that names the answer which the model cannot read."""
    try:
        return answer_ids(engine, prompt, answer)
    except BadPrompt as error:
        raise BadInput(
            f"The answer {answer[:40]!r} to {prompt[:40]!r} cannot be read ({str(error).rstrip('.')}): bring in the answers "
            "without it, or choose a model that reads longer texts.",
            "answers",
        ) from None


def states_of(worker: Worker, slot: str, texts: Sequence[tuple[str, str]]) -> FloatArray:
    """(texts, hidden) float32 of (prompt, answer) texts. Raises Pending while they are read, and what refuses them."""
    key = worker.engine.info.revision, tuple(texts)
    kept = session.get(_Read).states.get(slot)
    if kept is not None and kept[0] == key:
        return kept[1]

    def job(engine: Engine, cancel: CancelToken) -> Generator[float, None, FloatArray]:
        ids = [_ids(engine, prompt, answer) for prompt, answer in texts]
        steps, whole = read_states(engine, ids, cancel), len(set(ids))
        while True:
            try:
                done = next(steps)
            except StopIteration as end:
                states: FloatArray = end.value
                return states
            yield done / whole

    doing = f"The model reads {len(texts):,} answers"
    states = result_of(slot, key, lambda: worker.submit(session_id(), slot, job), doing, share=float)
    session.get(_Read).states[slot] = key, states
    return states
