"""Tiny models trained on clean text, on as much noisy text and on twice as much, as the page Training data does: the table of
docs/data.md.

It measures models, not the code, so it runs only by its name: ``python -m benchmarks quality``. Three seeds and two shares of
noise take some minutes of one processor.
"""

from __future__ import annotations

import time

from playground.corpus.quality_run import ARMS, QualityPlan, compare_arms, run_quality
from playground.engine.api import CancelToken

SHARES, SEEDS = (0.5, 0.75), 3


def main() -> None:
    """Train them all and print a row an arm."""
    print("| noise | read | bits a byte, by seed | more than clean | 95% interval over seeds |\n|---|---|---|---|---|")
    for share in SHARES:
        plan, began = QualityPlan(seeds=SEEDS, share=share), time.process_time()
        ratings = [step.rating for step in run_quality(plan, CancelToken()) if step.rating is not None]
        spent = (time.process_time() - began) / SEEDS
        compared = {each.arm: each for each in compare_arms(ratings)}
        for arm, label in ARMS.items():
            last = {each.seed: each.bits for each in ratings if each.arm == arm}
            bits = ", ".join(f"{value:.2f}" for value in last.values())
            other = compared.get(arm)
            more = "" if other is None else f"{other.difference:+.2f}"
            interval = "" if other is None else f"{other.low:+.2f} to {other.high:+.2f}"
            print(f"| {share:.0%} | {label} | {bits} | {more} | {interval} |", flush=True)
        print(f"{spent:.0f} s of a processor a seed")


if __name__ == "__main__":
    main()
