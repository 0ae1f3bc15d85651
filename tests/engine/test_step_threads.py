"""The choice of threads follows the machine's load and costs little when nothing changes."""

from __future__ import annotations

from collections.abc import Callable

from playground.engine.step_threads import StepThreads


def use(chooser: StepThreads, steps: int, seconds: Callable[[int], float]) -> list[int]:
    """Run ``steps`` on a machine where a step on n threads takes ``seconds(n)``."""
    chosen = []
    for _ in range(steps):
        chosen.append(chooser.threads)
        chooser.record(seconds(chosen[-1]))
    return chosen


def idle(threads: int) -> float:
    return 0.02 if threads == 2 else 0.03


def busy(threads: int) -> float:
    return 0.3 if threads == 2 else 0.035


def test_the_faster_number_stays_and_the_rival_is_tried_ever_less() -> None:
    chosen = use(StepThreads(2, 1), 1000, idle)
    assert chosen.count(1) <= 14
    trials = [index for index, threads in enumerate(chosen) if threads == 1]
    gaps = [later - earlier for earlier, later in zip(trials, trials[1:], strict=False) if later - earlier > 1]
    assert gaps == sorted(gaps) and gaps[-1] >= 2 * gaps[0]


def test_it_turns_to_one_thread_soon_after_the_machine_gets_busy_and_back_when_it_is_idle() -> None:
    chooser = StepThreads(2, 1)
    use(chooser, 60, idle)
    chosen = use(chooser, 60, busy)
    assert 1 in chosen[:3] and chosen[-30:].count(1) >= 26
    assert set(use(chooser, 400, idle)[-20:]) == {2}


def test_a_wrong_start_is_mended() -> None:
    assert use(StepThreads(1, 2), 60, idle)[-10:] == [2] * 10


def test_equal_speeds_do_not_flap() -> None:
    assert use(StepThreads(2, 1), 300, lambda threads: 0.02).count(1) <= 10


def test_without_a_rival_nothing_changes() -> None:
    assert use(StepThreads(4, None), 50, busy) == use(StepThreads(4, 4), 50, busy) == [4] * 50
