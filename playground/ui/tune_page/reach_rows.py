"""The model's rows along the references, asked for once and held for all sessions within a bound on memory.

Moving a slider runs no model: it looks at what is held. What is pushed out by others' rows is asked for again.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass, field

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.sampling.settings import SamplerSettings
from playground.tuning.examples import Example
from playground.tuning.following import HeldReach, read_reach
from playground.tuning.reach_map import MOST_BYTES, MapCell, ReachMap
from playground.ui.kit.jobs import result_of
from playground.ui.runtime import session_id
from playground.ui.workspace.shared import visitor_limits

_REMEMBERED = 256  # settings whose cells are held with the rows


@dataclass(eq=False)
class HeldRows:
    """The rows, and the cells of single settings that were looked at: along the references and of the first tokens."""

    reach: HeldReach
    cells: OrderedDict[tuple[str, SamplerSettings], MapCell] = field(default_factory=OrderedDict)

    def note(self, kind: str, settings: SamplerSettings, cell: MapCell) -> None:
        self.cells[kind, settings] = cell
        while len(self.cells) > _REMEMBERED:
            self.cells.popitem(last=False)

    def maps(self) -> dict[str, ReachMap]:
        """Those there are: "along" the references, and the "openings" of answers."""
        reach_maps = {"along": self.reach.along, "openings": self.reach.openings}
        return {kind: each for kind, each in reach_maps.items() if each is not None}


class HeldByAll:
    """What this process holds, the least recently used going first where the bytes are too many."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, HeldRows] = OrderedDict()
        self._dropped: Counter[Hashable] = Counter()

    def get(self, key: Hashable) -> tuple[HeldRows | None, int]:
        """What is held, and how often it was dropped before: a request for it is another one each time."""
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
            return held, self._dropped[key]

    def put(self, key: Hashable, rows: HeldRows) -> None:
        with self._lock:
            self._held[key] = rows
            self._held.move_to_end(key)
            while len(self._held) > 1 and sum(each.reach.rows_bytes for each in self._held.values()) > self.most_bytes:
                gone, _rows = self._held.popitem(last=False)
                self._dropped[gone] += 1


HELD = HeldByAll(MOST_BYTES)


def held_rows(
    worker: Worker, examples: Sequence[Example], *, chat: bool, settings: Sequence[SamplerSettings]
) -> HeldRows:
    """The rows of these examples, sorted for ``settings``. Raises Pending while the model reads or rows are sorted."""
    info = worker.engine.info
    limits = visitor_limits()
    key = info.id, info.revision, info.dtype, info.device, chat, tuple(examples), limits.prompt_tokens
    held, dropped = HELD.get(key)
    if held is None:

        def read(engine: Engine, cancel: CancelToken) -> Generator[float, None, None]:
            reading = read_reach(engine, examples, chat=chat, admit=limits.check_prompt, cancel=cancel)
            HELD.put(key, HeldRows((yield from _shares(reading))))

        result_of(
            "tune reach",
            (key, dropped),
            lambda: worker.submit(session_id(), "tune reach", read),
            "The model reads the references",
            share=float,
        )
        held, _dropped = HELD.get(key)
        if held is None:  # others pushed it out at once
            return held_rows(worker, examples, chat=chat, settings=settings)
    _look_at_all(worker, held, key, settings)
    return held


def _look_at_all(worker: Worker, held: HeldRows, key: Hashable, settings: Sequence[SamplerSettings]) -> None:
    """Cells of these settings; what takes long is a job. Raises Pending."""
    slow: list[tuple[str, SamplerSettings]] = []
    with held.reach.lock:
        for each in dict.fromkeys(settings):
            for kind, reach_map in held.maps().items():
                if (kind, each) in held.cells:
                    held.cells.move_to_end((kind, each))
                elif reach_map.is_quick(each):
                    held.note(kind, each, reach_map.look([each])[0])
                else:
                    slow.append((kind, each))
    if slow:

        def look(engine: Engine, cancel: CancelToken) -> Generator[float, None, None]:
            maps = held.maps()
            for done, (kind, each) in enumerate(slow):
                cell = yield from _locked(held, maps[kind].look_in_pieces(each), cancel)
                with held.reach.lock:
                    held.note(kind, each, cell)
                yield (done + 1) / len(slow)

        result_of(
            "tune cells",
            (key, tuple(slow)),
            lambda: worker.submit(session_id(), "tune cells", look),
            "Settings are tried on the references",
            share=float,
        )
        for kind, each in slow:
            if (kind, each) not in held.cells:  # pushed out by others' since then
                with held.reach.lock:
                    held.note(kind, each, held.maps()[kind].look([each])[0])


def _shares(pieces: Generator[float | None, None, HeldReach]) -> Generator[float, None, HeldReach]:
    """Each turn with the share that is done."""
    share = 0.0
    while True:
        try:
            share = next(pieces) or share
        except StopIteration as end:
            reach: HeldReach = end.value
            return reach
        yield share


def _locked(
    held: HeldRows, pieces: Generator[None, None, MapCell], cancel: CancelToken
) -> Generator[float, None, MapCell]:
    """The pieces, each with the map to itself."""
    while True:
        cancel.check()
        with held.reach.lock:
            try:
                next(pieces)
            except StopIteration as end:
                cell: MapCell = end.value
                return cell
        yield 0.0
