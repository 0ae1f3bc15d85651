"""A process whose threads never end, asked to end: it does, soon, and with a status that says why."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from playground.errors import BadInput
from playground.server.ending import PATIENCE_SECONDS, given_patience

# The main thread waits for a thread that loops, as a server waits for the model's; handlers that were there are called.
PROGRAM = """
import signal, threading
from playground.server.ending import end_promptly
signal.signal(signal.SIGTERM, lambda *_: print("first", flush=True))
signal.signal(signal.SIGINT, lambda *_: print("first", flush=True))
end_promptly(0.3)
def loop():
    while True:
        pass
worker = threading.Thread(target=loop)
worker.start()
print("ready", flush=True)
worker.join()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_loop_does_not_outlive_the_signal(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            started = time.monotonic()
            process.send_signal(number)
            said, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 128 + number
    assert said == "first\n"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(("given", "seconds"), [("", PATIENCE_SECONDS), ("60", 60.0), (" 0.5 ", 0.5)])
def test_the_patience_may_be_given(given: str, seconds: float) -> None:
    assert given_patience({"PLAYGROUND_END_S": given}) == seconds
    assert given_patience({}) == PATIENCE_SECONDS


@pytest.mark.parametrize("given", ["soon", "0", "-1", "nan", "inf"])
def test_what_is_no_number_of_seconds_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="PLAYGROUND_END_S"):
        given_patience({"PLAYGROUND_END_S": given})
