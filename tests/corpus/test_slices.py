"""Slices against statsmodels and scipy; marked lines."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from playground.corpus.marks import marked_lines
from playground.corpus.slices import slices
from playground.corpus.verdicts import Verdicts


def test_rates_intervals_and_the_correction() -> None:
    tags = ["a"] * 20 + ["b"] * 12 + ["c"] * 8 + [""] * 5
    gone = np.zeros(45, dtype=bool)
    gone[[*range(16), 20, 21, 32, 33, 34, 44]] = True
    rates = slices(tags, Verdicts(("r",), gone[:, None]))
    assert [each.name for each in rates] == ["a", "c", "b"] and [each.removed for each in rates] == [16, 3, 2]
    raw = list[float]()
    for each in rates:
        inside = each.removed, each.total - each.removed
        raw.append(fisher_exact([inside, (21 - inside[0], 19 - inside[1])]).pvalue)
    for each, adjusted in zip(rates, multipletests(raw, method="holm")[1], strict=True):
        assert (each.low, each.high) == pytest.approx(proportion_confint(each.removed, each.total, method="wilson"))
        assert each.p == pytest.approx(adjusted) and each.rule == "r"
    assert rates[0].stands_out and not slices(["x"] * 45, Verdicts(("r",), gone[:, None]))[0].stands_out


def test_lines_are_marked_by_the_rules_that_fail() -> None:
    text = "A line that ends well.\n- Home {\nA line that ends well.\nLorem ipsum dolor..."
    rules = {
        "c4-sentences",
        "c4-curly-bracket",
        "c4-lorem-ipsum",
        "gopher-bullets",
        "gopher-ellipsis-lines",
        "repeated-lines",
    }
    lines = marked_lines(text, rules)
    assert [line.text for line in lines] == text.split("\n")
    assert lines[0].reasons == () and lines[2].reasons == ("stood there before",)
    assert lines[1].reasons == ("C4 drops it: no full stop", "curly bracket", "bullet")
    assert lines[3].reasons == ("C4 drops it: no full stop", "lorem ipsum", "ends in …")
    assert all(line.reasons == () for line in marked_lines(text, ()))
