"""llama.cpp's own HTTP server on the bundled weights, in a process of its own: ``python -m tests.engine.remote.llama_server``."""

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
    command = [sys.executable, "-m", "tests.engine.remote.llama_server", str(slots)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None and server.stdin is not None
        try:
            line = server.stdout.readline().strip()
            assert line.startswith("http://"), line
            yield line + "/v1"
        finally:
            server.stdin.close()
            server.terminate()


def _serve(slots: int) -> None:
    import xllamacpp

    from playground.models.bundled import bundled_file

    params = xllamacpp.CommonParams()
    params.model.path = str(bundled_file())
    params.model_alias = {"smollm2"}
    params.n_parallel = slots
    params.n_ctx = 1024 * slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = False
    params.hostnames, params.port = ["127.0.0.1"], 0
    server = xllamacpp.Server(params)
    sys.stdout.write(server.listening_address + "\n")
    sys.stdout.flush()
    sys.stdin.read()  # until who started it is gone


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
