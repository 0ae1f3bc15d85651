"""Handing memory back to the system. Knows nothing of models.

The C library keeps what a forward pass has freed in blocks of a few megabytes for the next one, so that a process stays
as large as its longest text once was.
"""

from __future__ import annotations

import ctypes


def trim_memory() -> bool:
    """Return what is freed but still held, some milliseconds of work; False where the C library cannot (only glibc can)."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # other systems' libraries, and Windows, where None names none
        return False
    return bool(trim(0))
