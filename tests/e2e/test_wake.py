"""A page whose timers never tick by themselves is still drawn anew when the model has answered."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.room import Reader
from playground.ui.kit.wake import TICK_S
from tests.e2e.conftest import run_apart

pytestmark = pytest.mark.e2e
TEXT = "One after the other they came down the hill, and none of them knew where the others were going. " * 20


class Patient(Reader):
    """A browser whose timers start only when the server says that something is there, on a page not answered for yet."""

    def _start_timer(self, fragment: str, interval: float) -> None:
        if interval <= 2 * TICK_S:
            super()._start_timer(fragment, interval)


def test_the_result_wakes_the_page(app_url: str) -> None:
    """Else neither the first bars would come nor those of another text: nobody looks in."""

    async def visit() -> float:
        reader = await Patient.open(app_url, "temperature=0.8")
        assert isinstance(reader, Patient)
        await reader.painted(finished=True)
        milliseconds = await reader.read(TEXT)
        await reader.close()
        return milliseconds

    assert run_apart(asyncio.wait_for(visit(), 600)) > 0
