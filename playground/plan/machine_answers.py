"""The loaded model timed on this machine, as rows and a picture of the Serving page. Knows no streamlit."""

from __future__ import annotations

import numpy as np

from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series
from playground.inspection.speed import Pass, Speed
from playground.inspection.timing import Timing
from playground.plan.measure import Peaks
from playground.plan.wording import Row, row
from playground.scaling.figures import figure, given


def machine_rows(timing: Timing, peaks: Peaks | None) -> tuple[Row, ...]:
    """Fitted rates, their share of this machine's own ``peaks`` where these are known, and the prediction's errors."""
    step = timing.lengths[-1].decode
    rows = [row(given("One decode step, measured", step.seconds, "s", f"after {step.context} tokens"), lead=True)]
    fit = timing.speed.fit
    rows += _rate_rows("arithmetic", fit.flops_per_s, "FLOP/s", peaks.flops_per_s if peaks else None, "matrix product")
    rows += _rate_rows(
        "bandwidth", fit.bytes_per_s, "B/s", peaks.bytes_per_s if peaks else None, "copy, reads and writes counted"
    )
    passes = [one for length in timing.lengths for one in (length.prefill, length.decode)]
    return (*rows, *(_pass_row(timing.speed, one) for one in (*passes, *timing.rows)))


def _rate_rows(what: str, rate: float, unit: str, peak: float | None, measured_by: str) -> list[Row]:
    """Nothing where the measurements show no bound of that kind."""
    if not np.isfinite(rate):
        return []
    speed = given(f"Fitted {what}", rate, unit, "least squares of the relative error over all passes")
    rows = [Row(speed.name, f"{rate / 1e9:,.1f} G{unit}", speed)]
    if peak is not None:
        share = figure(
            f"Share of the peak {what}",
            "1",
            "fitted / peak",
            f"peak: a plain float32 {measured_by}",
            fitted=(rate, unit),
            peak=(peak, unit),
        )
        rows.append(Row(share.name, f"{share.value:.0%}", share))
    return rows


def _pass_row(speed: Speed, one: Pass) -> Row:
    """A measured pass beside its prediction."""
    predicted = speed.seconds(one.tokens, one.context, one.rows)
    words = f"{one.tokens} token{'s' if one.tokens > 1 else ''}"
    words += f" after {one.context}" if one.context else ""
    words += f" in each of {one.rows} rows" if one.rows > 1 else ""
    value = f"{one.seconds * 1e3:,.1f} ms measured, {predicted * 1e3:,.1f} ms predicted"
    return Row(words, value, None, False, f"{predicted / one.seconds - 1:+.0%}")


def machine_data(timing: Timing) -> LinesData:
    """Predicted time against prompt length, with the measured passes."""
    prefills = [length.prefill for length in timing.lengths]
    lengths = np.unique(np.geomspace(1, max(one.tokens for one in prefills), 40).astype(int))
    seconds = np.array([timing.speed.seconds(int(length)) for length in lengths])
    marks = tuple(Mark(f"{one.seconds * 1e3:.0f} ms", one.tokens, one.seconds * 1e3, strong=True) for one in prefills)
    curve = Series("predicted", lengths.astype(float), seconds * 1e3, NOW)
    return LinesData(Axis("prompt tokens"), Axis("milliseconds"), (curve,), marks)
