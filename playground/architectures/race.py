"""Models of equal size raced over contexts: bytes kept, time to read a text, time of one more token. A generator.

A text is read in pieces, with a turn for others after each, and its time is the sum of theirs. Random tokens: nothing is
remembered. Each model is built when its turn comes and let go of afterwards.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np

from playground.architectures.families import FAMILIES, MOST_CONTEXT, Family
from playground.architectures.growth import Growth, family_growth, growth_of_config
from playground.architectures.runners import DECODE_STEPS, SHARE, Runner, runner_of
from playground.engine.api import CancelToken, Engine, Rows
from playground.engine.facets import require
from playground.errors import BadInput
from playground.scaling.built_specs import spec_of_config
from playground.scaling.configs import LoadedConfig
from playground.scaling.quantity import format_bytes, format_duration

CONTEXTS = (128, 256, 512, 1024, 2048, 4096, 8192)
LONG_CONTEXTS = (*CONTEXTS, 16_384, 32_768)
_SLOW_S = 120.0  # a text that is expected to take longer is left out


@dataclass(frozen=True, slots=True)
class Racer:
    """A model of the race: one of FAMILIES, or any config."""

    name: str
    family: Family | None = None
    config: LoadedConfig | None = None

    @property
    def growth(self) -> Growth:
        if self.family is not None:
            return family_growth(self.family)
        assert self.config is not None
        return growth_of_config(spec_of_config(self.config))


@dataclass(frozen=True, slots=True)
class RaceRow:
    """One model at one context. Bytes and seconds are measured, None where they were not, and ``note`` says why."""

    config: str
    context: int
    predicted_bytes: int
    flops: float
    state_bytes: int | None = None
    cache_bytes: int | None = None
    prefill_s: float | None = None
    decode_s_per_token: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class RaceProgress:
    """``share`` of the whole that is done, from 0 to 1, what is being done, and the row that has just come."""

    share: float
    doing: str
    row: RaceRow | None = None


def read_contexts(text: str) -> tuple[int, ...]:
    """ "128,512,2048" in rising order. Raises BadInput."""
    words = [word.strip().replace("_", "") for word in text.split(",") if word.strip()]
    if not words or len(words) > 20:
        raise BadInput(
            "contexts must be one to twenty numbers of tokens with commas between, such as 128,512.", "contexts"
        )
    contexts = []
    for word in words:
        if not word.isascii() or not word.isdigit() or len(word) > 9 or not 1 <= int(word) <= MOST_CONTEXT:
            raise BadInput(
                f"contexts: {word[:20]!r} is not a whole number from 1 to {MOST_CONTEXT:,}; write such as 128,512.",
                "contexts",
            )
        contexts.append(int(word))
    return tuple(sorted(set(contexts)))


def race(
    racers: Sequence[Racer], contexts: Sequence[int], seed: int = 0, cancel: CancelToken | None = None
) -> Generator[RaceProgress, None, tuple[RaceRow, ...]]:
    """Measure every model at every context, short ones first. Raises Cancelled; what does not fit is a row with a note."""
    rows: list[RaceRow] = []
    whole = float(len(racers) * sum(contexts))
    for place, racer in enumerate(racers):
        growth, done = racer.growth, place * sum(contexts)
        yield RaceProgress(done / whole, f"{racer.name} is built")
        refused = _too_large(growth)
        runner = (
            None if refused else runner_of(racer.family, racer.config.config if racer.config else {}, racer.name, seed)
        )
        yield RaceProgress(done / whole, f"{racer.name} is warmed up")
        if runner is not None:
            for _piece in runner.read(_tokens(runner.vocabulary, 16, seed)):
                pass
        last: RaceRow | None = None
        for context in contexts:
            if cancel is not None:
                cancel.check()
            doing = f"{racer.name}: a text of {context:,} tokens"
            yield RaceProgress(done / whole, doing)
            note = refused or (runner.refuses(context, growth) if runner else "") or _too_slow(last, context)
            row = RaceRow(racer.name, context, round(growth.bytes(context)), growth.prefill_flops(context), note=note)
            if runner is not None and not note:
                row = yield from _measure(runner, row, seed, done / whole, doing)
                last = row
            rows.append(row)
            done += context
            yield RaceProgress(done / whole, doing, row)
        del runner
    return tuple(rows)


def _too_large(growth: Growth) -> str:
    from playground.models.hardware import probe

    need, free = 4.0 * growth.parameters, probe().ram_available_bytes
    if need <= SHARE * free:
        return ""
    return f"its weights take {format_bytes(need)} in float32, more than half of the {format_bytes(free)} free here"


def _too_slow(last: RaceRow | None, context: int) -> str:
    if last is None or last.prefill_s is None:
        return ""
    expected = last.prefill_s * context / last.context
    if expected <= _SLOW_S:
        return ""
    return f"it would take {format_duration(expected)} or more here"


def _tokens(vocabulary: int, count: int, seed: int) -> list[int]:
    return [int(token) for token in np.random.default_rng([seed, count]).integers(0, vocabulary, count)]


def _measure(
    runner: Runner, row: RaceRow, seed: int, share: float, doing: str
) -> Generator[RaceProgress, None, RaceRow]:
    ids = _tokens(runner.vocabulary, row.context, seed)
    prefill_s = math.inf
    for _turn in range(2 if row.context <= 1024 else 1):
        spent, reading = 0.0, runner.read(ids)
        while True:
            started = time.perf_counter()
            try:
                next(reading)
                spent += time.perf_counter() - started
            except StopIteration:
                spent += time.perf_counter() - started
                break
            yield RaceProgress(share, doing)
        prefill_s = min(prefill_s, spent)
    state, cache = runner.bytes()
    decode_s = math.inf
    for token in _tokens(runner.vocabulary, DECODE_STEPS, seed):
        started = time.perf_counter()
        runner.step(token)
        decode_s = min(decode_s, time.perf_counter() - started)
        yield RaceProgress(share, doing)
    return RaceRow(
        row.config, row.context, row.predicted_bytes, row.flops, state, cache, prefill_s, decode_s, runner.note
    )


# -- the loaded model --------------------------------------------------------------------------------------------------


def race_loaded(
    engine: Engine, contexts: Sequence[int], growth: Growth | None, cancel: CancelToken, seed: int | None = None
) -> Generator[RaceProgress, None, tuple[RaceRow, ...]]:
    """The model in use at every context it reads, through the engine as all pages use it."""
    rows, info = require(engine, Rows), engine.info
    generator = np.random.default_rng(seed)
    race_rows: list[RaceRow] = []
    done, whole = 0, float(sum(contexts))
    for context in contexts:
        doing = f"{info.name}: a text of {context:,} tokens"
        yield RaceProgress(done / whole, doing)
        predicted = 0 if growth is None else round(growth.bytes(context))
        flops = 0.0 if growth is None else growth.prefill_flops(context)
        row = RaceRow(
            info.name, context, predicted, flops, note=_too_slow(race_rows[-1] if race_rows else None, context)
        )
        if context + DECODE_STEPS > info.context_length:
            row = RaceRow(info.name, context, predicted, flops, note=f"it reads {info.context_length:,} tokens at most")
        if not row.note:
            ids = [int(token) for token in generator.integers(0, info.vocab_size, context)]
            started = time.perf_counter()
            batch = rows.open_batch([ids], cancel=cancel)
            prefill_s = time.perf_counter() - started
            state, cache = batch.state_bytes or 0, batch.cache_bytes or 0
            decode_s = math.inf
            for token in _tokens(info.vocab_size, DECODE_STEPS, 0):
                yield RaceProgress(done / whole, doing)
                started = time.perf_counter()
                batch.step([token], cancel=cancel)
                decode_s = min(decode_s, time.perf_counter() - started)
            batch.close()
            row = RaceRow(info.name, context, predicted, flops, state, cache, prefill_s, decode_s)
        race_rows.append(row)
        done += context
        yield RaceProgress(done / whole, doing, row)
    return tuple(race_rows)


def racers_of(names: Sequence[str], load: Callable[[str], LoadedConfig]) -> tuple[Racer, ...]:
    """Families by name, anything else by ``load``. Raises BadInput."""
    racers = []
    for name in names:
        family = FAMILIES.get(name.lower())
        if family is not None:
            racers.append(Racer(family.label, family))
        else:
            config = load(name)
            spec_of_config(config)
            racers.append(Racer(config.name, None, config))
    return tuple(racers)
