"""The bake-off of the built-in problems on the bundled model, as the page runs it: the table of docs/best-of-n.md.

Takes many minutes and measures the model, not the code, so it runs only by its name: ``python -m benchmarks bakeoff``.
"""

from __future__ import annotations

import sys

from playground.engine.factory import make_engine
from playground.sampling.settings import NEUTRAL
from playground.testtime.bakeoff import DEFAULT_RULES, JUDGE_RULE, BakeoffPlan, BakeoffState, run_bakeoff
from playground.testtime.bakeoff_report import BakeoffReport, RuleResult, Share, report
from playground.testtime.problems import built_in

N, NEW_TOKENS, TEMPERATURE, SEED = 8, 48, 0.7, 0


def main() -> None:
    """Run all of it and print the table."""
    engine = make_engine(None)
    plan = BakeoffPlan(
        built_in().problems,
        n=N,
        max_new_tokens=NEW_TOKENS,
        settings=NEUTRAL.replace(temperature=TEMPERATURE),
        seed=SEED,
        rules=(*DEFAULT_RULES, JUDGE_RULE),
    )
    steps = run_bakeoff(engine, BakeoffState(plan))
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            state: BakeoffState = end.value
            break
        if progress.doing == "done":
            print(f"{progress.state.done} of {len(plan.problems)} problems", file=sys.stderr, flush=True)
    engine.close()
    print(
        f"{len(state.outcomes)} problems, N = {N}, at most {NEW_TOKENS} new tokens, temperature {TEMPERATURE}, seed {SEED}, "
        f"chat template; {state.tokens:,} tokens\n"
    )
    print_table(report(state))


def print_table(outcome: BakeoffReport) -> None:
    """Every rule with its intervals, by difficulty, and what may be said of all."""
    levels = [name for name, _share in outcome.single_by_difficulty]
    heads = ("rule", "right (95% interval)", *levels, "points above blind (95% interval)", "p, corrected")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    lines = [
        ("a right one is among them", outcome.coverage, dict(outcome.coverage_by_difficulty), "", ""),
        ("one, taken blindly", outcome.single, dict(outcome.single_by_difficulty), "", ""),
        *((r.name, r.accuracy, dict(r.by_difficulty), _points(r), f"{r.p_adjusted:.2g}") for r in outcome.rules),
    ]
    for name, share, by_level, points, p_value in lines:
        shares = [f"{100 * by_level[level].mean:.0f}%" for level in levels]
        print(f"| {' | '.join((name, _percent(share), *shares, points, p_value))} |")
    print(f"\n{outcome.summary}")


def _points(rule: RuleResult) -> str:
    if rule.gain_low is None or rule.gain_high is None:
        return f"{100 * rule.gain:+.1f}"
    return f"{100 * rule.gain:+.1f} ({100 * rule.gain_low:+.1f} to {100 * rule.gain_high:+.1f})"


def _percent(share: Share) -> str:
    if share.low is None or share.high is None:
        return f"{100 * share.mean:.1f}%"
    return f"{100 * share.mean:.1f}% ({100 * share.low:.0f} to {100 * share.high:.0f})"


if __name__ == "__main__":
    main()
