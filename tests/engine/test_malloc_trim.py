"""What is freed goes back to the system, where the C library can do that."""

from __future__ import annotations

import platform

import psutil

from playground.engine.hf.malloc_trim import trim_memory

BLOCK, COUNT = 64 * 1024, 2_000  # small enough for the C library to keep


def test_freed_blocks_go_back_to_the_system() -> None:
    blocks = [bytearray(BLOCK) for _ in range(COUNT)]
    last = blocks.pop()  # what lies at the end keeps the rest from going back by itself
    blocks.clear()
    held = psutil.Process().memory_info().rss
    done = trim_memory()
    assert len(last) == BLOCK
    if platform.libc_ver()[0] == "glibc":
        assert done and psutil.Process().memory_info().rss < held - BLOCK * COUNT // 2
    else:
        assert not done
