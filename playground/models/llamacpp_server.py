"""llama.cpp's own HTTP server on the bundled weights: ``python -m playground.models.llamacpp_server [options] [-- command]``.

Needs the optional package of requirements-llamacpp.txt. With a command (the app, say) that runs with the server as
PLAYGROUND_MODEL, and both end together; without one the address is printed, and the end of standard input ends the server.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from playground.models.bundled import bundled_file
from playground.models.catalogue import MODEL_VARIABLE

CONTEXT = 1024  # tokens of each slot
NAME = "smollm2"


def main(arguments: Sequence[str]) -> int:
    """Serve until the command, or who started it, is gone. Returns the command's exit code."""
    parser = argparse.ArgumentParser(prog="python -m playground.models.llamacpp_server", description=__doc__)
    parser.add_argument("--slots", type=int, default=4, help="requests at the same time (default: 4)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="default: one a processor")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("command", nargs="*")
    asked = parser.parse_args(arguments)
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(bundled_file())
    params.model_alias = {NAME}
    params.n_parallel = asked.slots
    params.n_ctx = CONTEXT * asked.slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = asked.threads
    params.warmup = False
    params.hostnames, params.port = ["127.0.0.1"], asked.port
    server = xllamacpp.Server(params)  # answers for as long as this process lives
    address = f"{server.listening_address}/v1"
    if asked.command:
        return _run(asked.command, address)
    sys.stdout.write(address + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    return 0


def _run(command: Sequence[str], address: str) -> int:
    with subprocess.Popen(command, env={**os.environ, MODEL_VARIABLE: address}) as running:
        try:
            return running.wait()
        except KeyboardInterrupt:  # the terminal has told the command too
            return running.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
