"""What a forward pass costs, as curves: measured marks over what the fitted machine predicts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series
from playground.inspection.timing import LengthTiming, Timing

_POINTS = 40


def _every(timing: Timing) -> tuple[LengthTiming, ...]:
    """All measured lengths, those checked afterwards included, shortest first."""
    by_tokens = {one.prefill.tokens: one for one in (*timing.lengths, *timing.checks)}
    return tuple(by_tokens[tokens] for tokens in sorted(by_tokens))


def _lengths(timing: Timing, ahead: int) -> npt.NDArray[np.float64]:
    measured = _every(timing)
    longest = max(measured[-1].prefill.tokens, ahead)
    return np.unique(np.geomspace(measured[0].prefill.tokens, longest, _POINTS).round())


def prefill_data(timing: Timing, ahead: int) -> LinesData:
    """Tokens a second against the prompt's length, predicted up to ``ahead`` tokens."""
    lengths = _lengths(timing, ahead)
    speed = np.array([length / timing.speed.seconds(int(length)) for length in lengths])
    marks = tuple(
        Mark(f"{one.prefill.tokens_per_s:,.0f}/s", one.prefill.tokens, one.prefill.tokens_per_s, _is_check(timing, one))
        for one in _every(timing)
    )
    return LinesData(
        Axis("prompt tokens"), Axis("tokens read a second"), (Series("predicted", lengths, speed, NOW),), marks
    )


def seconds_data(timing: Timing, ahead: int) -> LinesData:
    """Milliseconds to read the whole prompt against its length."""
    lengths = _lengths(timing, ahead)
    spent = np.array([1e3 * timing.speed.seconds(int(length)) for length in lengths])
    marks = tuple(
        Mark(
            f"{1e3 * one.prefill.seconds:,.0f} ms",
            one.prefill.tokens,
            1e3 * one.prefill.seconds,
            _is_check(timing, one),
        )
        for one in _every(timing)
    )
    return LinesData(Axis("prompt tokens"), Axis("milliseconds"), (Series("predicted", lengths, spent, NOW),), marks)


def decode_data(timing: Timing, ahead: int) -> LinesData:
    """Milliseconds a new token against the tokens before it."""
    lengths = _lengths(timing, ahead)
    spent = np.array([1e3 * timing.speed.seconds(1, int(length)) for length in lengths])
    marks = tuple(
        Mark(
            f"{1e3 * one.decode.seconds:,.1f} ms", one.decode.context, 1e3 * one.decode.seconds, _is_check(timing, one)
        )
        for one in _every(timing)
    )
    return LinesData(
        Axis("tokens before the new one"),
        Axis("milliseconds a token", log=False),
        (Series("predicted", lengths, spent, NOW),),
        marks,
    )


def cache_data(timing: Timing, ahead: int) -> LinesData | None:
    """Megabytes of the key-value cache, by formula and as measured; None for a model without one."""
    measured = [(one.cache.tokens, one.cache.measured / 1e6) for one in _every(timing) if one.cache.measured]
    if not measured:
        return None
    lengths = _lengths(timing, ahead)
    predicted = np.array([(timing.speed.workload.cache_bytes(int(length)) or np.nan) / 1e6 for length in lengths])
    marks = tuple(Mark(f"{size:,.2f} MB", tokens, size) for tokens, size in measured)
    return LinesData(
        Axis("tokens read"), Axis("MB of keys and values"), (Series("by formula", lengths, predicted, NOW),), marks
    )


def roofline_data(timing: Timing, ahead: int = 0) -> LinesData:
    """GFLOP/s reached against FLOPs a byte: the two roofs of the fitted machine, and every measured pass under them.

    ``ahead`` is not used: the roofs belong to the machine and not to a length.
    """
    passes = [*(one for length in _every(timing) for one in (length.decode, length.prefill)), *timing.rows]
    low, high = min(one.intensity for one in passes) / 2, max(one.intensity for one in passes) * 2
    intensity = np.geomspace(low, high, _POINTS)
    fit = timing.speed.fit
    peak, bandwidth = fit.flops_per_s, fit.bytes_per_s
    together = intensity / fit.seconds(intensity, np.ones_like(intensity))
    series = [Series("fitted", intensity, together / 1e9, NOW)]
    if np.isfinite(bandwidth):
        series.append(Series("bandwidth roof", intensity, np.minimum(intensity * bandwidth, peak) / 1e9))
    if np.isfinite(peak):
        series.append(Series("arithmetic roof", intensity, np.full_like(intensity, peak) / 1e9))
    marks = [
        Mark(f"read {one.tokens}", one.intensity, one.flops / one.seconds / 1e9) for one in passes if not one.context
    ]
    writes = [one for one in passes if one.context]
    marks += [
        Mark(
            f"write {one.rows}" if index == 0 or one.rows > 1 else "",
            one.intensity,
            one.flops / one.seconds / 1e9,
            strong=True,
        )
        for index, one in enumerate(writes)
    ]
    return LinesData(Axis("FLOPs a byte"), Axis("GFLOP/s reached"), tuple(series), tuple(marks))


def _is_check(timing: Timing, one: LengthTiming) -> bool:
    """Strong marks are those the fit has not seen."""
    return any(one.prefill.tokens == check.prefill.tokens for check in timing.checks)
