"""A count on the meta device beside a page: what it tells while it is under way, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from playground.errors import PlaygroundError
from playground.plan import counting
from playground.plan.counting import Counting
from playground.scaling.meta import MetaCount

COUNT = MetaCount(7, (("mlp", 7),), "TinyForCausalLM")


def test_a_count_under_way_tells_once_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go, notified = threading.Event(), threading.Event(), threading.Semaphore(0)

    def count(config: Mapping[str, object]) -> MetaCount:
        begun.set()
        assert go.wait(30) and config == {"model_type": "tiny"}
        return COUNT

    monkeypatch.setattr(counting, "count_on_meta", count)
    job = Counting({"model_type": "tiny"})
    job.when_done(notified.release)
    assert begun.wait(30) and not job.done and not job.wait(0)
    go.set()
    assert notified.acquire(timeout=30) and job.done
    job.when_done(notified.release)  # what asks too late is told at once
    assert notified.acquire(timeout=0)
    counted, seconds = job.result()
    assert counted == COUNT and seconds >= 0


@pytest.mark.parametrize("error", [PlaygroundError("refused"), RuntimeError("deep inside")])
def test_whatever_goes_wrong_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def count(config: Mapping[str, object]) -> MetaCount:
        raise error

    monkeypatch.setattr(counting, "count_on_meta", count)
    job = Counting({})
    assert job.wait(30)
    with pytest.raises(PlaygroundError, match="refused|could not be built"):
        job.result()
