"""The draft's demonstrations as the model in use reads them, encoded once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.training.demonstrations import Demonstration
from playground.training.masks import MaskedText, masked_text
from playground.ui.examples_page.session import draft
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.runtime import session_id

_REMEMBERED = 4_000  # rows
_AT_A_TIME = 20  # rows encoded before others have their turn
_Key = tuple[str, bool, bool, Demonstration]


class _Masked(OrderedDict[_Key, "MaskedText | str"]):
    """Rows as the model reads them, or why they cannot be read; the last ones looked at last."""


def masked_rows(worker: Worker, rows: tuple[Demonstration, ...]) -> list[MaskedText | str]:
    """Each row as the model in use reads it, or why it cannot. Raises Pending while they are encoded."""
    cache, settings, revision = session.get(_Masked), draft().settings, worker.engine.info.revision
    keys: list[_Key] = [(revision, settings.mask_prompt, settings.chat, row) for row in rows]
    missing = [key for key in dict.fromkeys(keys) if key not in cache]
    if missing:

        def job(engine: Engine, cancel: CancelToken) -> Generator[float, None, dict[_Key, MaskedText | str]]:
            masked: dict[_Key, MaskedText | str] = {}
            for number, key in enumerate(missing, 1):
                masked[key] = _masked(engine, key)
                if number % _AT_A_TIME == 0:
                    cancel.check()
                    yield number / len(missing)
            return masked

        cache |= result_of(
            "examples masks",
            tuple(missing),
            lambda: worker.submit(session_id(), "examples masks", job, Priority.LOOK),
            "Demonstrations are read",
            share=float,
        )
    shown = [cache[key] for key in keys]
    while len(cache) > _REMEMBERED:
        cache.popitem(last=False)
    return shown


def _masked(engine: Engine, key: _Key) -> MaskedText | str:
    _revision, mask_prompt, chat, row = key
    try:
        return masked_text(engine.codec, row, mask_prompt=mask_prompt, chat=chat)
    except PlaygroundError as error:
        return str(error)
