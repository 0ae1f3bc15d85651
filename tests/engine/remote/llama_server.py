"""llama.cpp's own HTTP server on the bundled weights, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SLOTS = 2  # where a test does not say


@contextmanager
def llama_server(slots: int = SLOTS) -> Iterator[str]:
    """Its base address with so many requests at a time, once it has read the model; it ends with the block."""
    command = [sys.executable, "-m", "playground.models.llamacpp_server", "--threads", "1", "--slots", str(slots)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None and server.stdin is not None
        try:
            line = server.stdout.readline().strip()
            assert line.startswith("http://"), line
            yield line
        finally:
            server.stdin.close()
            server.terminate()
