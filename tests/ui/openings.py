"""An opener of fakes for pages that compare models: the default one, a rounded one, another vocabulary, a served one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.fake.served import ServedFakeEngine
from playground.engine.serving.loading import Loading, ModelChoice
from tests.engine.other_vocabulary import ReversedEngine

KINDS: dict[str | None, Callable[[], Any]] = {"other/vocabulary": ReversedEngine, "served/top": ServedFakeEngine}


class Openings:
    """Opens a fake of each choice: the default rounds nothing, bfloat16 rounds its logits."""

    def __init__(self) -> None:
        self.engines: dict[ModelChoice, Any] = {}
        self.problem: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, choice: ModelChoice, loading: Loading) -> Any:  # noqa: ANN401 - fakes of several classes
        if choice != ModelChoice():
            assert self.gate.wait(30)
            loading.report("Reading weights", 0.5)
            if self.problem is not None:
                raise self.problem
        engine = KINDS[choice.spec]() if choice.spec in KINDS else FakeEngine()
        if choice.dtype == "bfloat16":
            engine = FakeEngine(lambda ids: np.round(default_logits(ids), 1).astype(np.float32))
            engine._info = replace(engine.info, dtype="bfloat16", revision="fake-bf16")
        self.engines[choice] = engine
        return engine
