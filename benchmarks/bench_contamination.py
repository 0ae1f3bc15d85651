"""What min-K% says of the bundled model, as the page Training data asks it: the table of docs/data.md.

It measures the model, not the code, so it runs only by its name: ``python -m benchmarks contamination``. The bar is set on the
sample's texts; its false-positive rate is counted on other texts that were written for this project.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import binomtest

from playground.corpus.domains import samples
from playground.corpus.min_k import FAMOUS, Recall, fresh_texts, recalls, set_bar
from playground.corpus.parallel import declaration
from playground.engine.factory import make_engine
from playground.engine.pieces import finish
from playground.glossary import GLOSSARY
from playground.testtime.problems import built_in


def texts() -> dict[str, tuple[str, ...]]:
    """By what is known of them; the first set the bar."""
    return {
        "not read: the sample, which set the bar": fresh_texts(),
        "not read: the twelve domains": tuple(each.text for each in samples()),
        "not read: the glossary": tuple(GLOSSARY.values()),
        "read: eight famous passages": FAMOUS,
        "read: articles of the Declaration of Human Rights": tuple(declaration().languages["eng"].texts.values()),
        "asked: the built-in problems": tuple(each.prompt for each in built_in().problems),
    }


def main() -> None:
    """Read all of them and print the table."""
    engine = make_engine(None)
    rows_by_set = {name: finish(recalls(engine, given)) for name, given in texts().items()}
    engine.close()
    bar = set_bar(next(iter(rows_by_set.values())))
    assert bar is not None
    print(f"bar {bar.value:.2f} nats; {bar.false} of {bar.fresh} above it, of one more such text {bar.expected:.1%}\n")
    print("| texts | of 16 tokens and more | median, nats | above the bar | 95% interval | word for word, median |")
    print("|---|---|---|---|---|---|")
    for name, rows in rows_by_set.items():
        long = [each for each in rows if not math.isnan(each.min_k)]
        print(f"| {name} | {len(long)} of {len(rows)} | {_row(long, bar.value)} |")


def _row(rows: list[Recall], bar: float) -> str:
    above = sum(each.min_k > bar for each in rows)
    interval = binomtest(above, len(rows)).proportion_ci(method="wilson")
    exact = np.median([each.exact / each.of for each in rows])
    median = np.median([each.min_k for each in rows])
    return f"{median:.2f} | {above} ({above / len(rows):.0%}) | {interval.low:.0%} to {interval.high:.0%} | {exact:.0%}"


if __name__ == "__main__":
    main()
