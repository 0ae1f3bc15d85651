"""A PostgreSQL cluster of the tests' own: the installed server in a new folder, on a free port, without a disk's patience.

The server is Debian's package; ``make test`` installs it where it is missing.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

_HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=127.0.0.1")
# A server that ends, and its folder with it, when whoever holds its input is gone: tests may be killed.
_WHILE_ASKED_FOR = '"$@" & read _; kill -QUIT $!; wait; cd / && rm -rf "$0"'


def programs() -> Path:
    """The folder of initdb and postgres, the newest where several are installed. Raises FileNotFoundError."""
    initdbs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not initdbs and on_path is None:
        raise FileNotFoundError("PostgreSQL is not installed: run `make postgresql`.")
    return (initdbs[-1] if initdbs else Path(str(on_path)).resolve()).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def cluster() -> Iterator[str]:
    """Start one; gives the address of its server, ``postgresql+psycopg://playground@127.0.0.1:port``."""
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    folder, port, bin_folder = Path(tempfile.mkdtemp(prefix="playground-postgres-")), free_port(), programs()
    if user is not None:
        shutil.chown(folder, user)

    options = [f"-c{option}" for option in (*_HASTY, f"port={port}", f"unix_socket_directories={folder}")]
    initdb = ["initdb", "--no-sync", "--auth=trust", "--username=playground", "--encoding=UTF8", "--locale=C"]
    subprocess.run(
        [bin_folder / initdb[0], *initdb[1:], "-D", folder / "data"],
        check=True,
        user=user,
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    with subprocess.Popen(
        ["sh", "-c", _WHILE_ASKED_FOR, folder, bin_folder / "postgres", "-D", folder / "data", *options],
        user=user,
        cwd=folder,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as server:
        assert server.stdin is not None
        address = f"playground@127.0.0.1:{port}"
        try:
            _wait_for(f"postgresql://{address}/postgres")
            yield f"postgresql+psycopg://{address}"
        finally:
            server.stdin.close()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.05)  # a port has no event to wait for
        else:
            return


def new_database(server: str) -> str:
    """The address of a new, empty database."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server}/{name}"
