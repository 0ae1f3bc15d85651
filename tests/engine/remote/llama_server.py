"""llama.cpp's own HTTP server on the bundled weights, in a process of its own: ``python -m tests.engine.remote.llama_server``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SLOTS = 2


@contextmanager
def llama_server() -> Iterator[str]:
    """Its base address, once it has read the model; it ends with the block."""
    command = [sys.executable, "-m", "tests.engine.remote.llama_server"]
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


def _serve() -> None:
    import xllamacpp

    from playground.models.bundled import bundled_file

    params = xllamacpp.CommonParams()
    params.model.path = str(bundled_file())
    params.model_alias = {"smollm2"}
    params.n_parallel = SLOTS
    params.n_ctx = 1024 * SLOTS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = False
    params.hostnames, params.port = ["127.0.0.1"], 0
    server = xllamacpp.Server(params)
    sys.stdout.write(server.listening_address + "\n")
    sys.stdout.flush()
    sys.stdin.read()  # until who started it is gone


if __name__ == "__main__":
    _serve()
