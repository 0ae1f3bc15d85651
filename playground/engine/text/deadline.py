"""A limit in time for a chat template, which is a program of strangers and runs on a thread that others wait for.

``template_check`` has rendered it once, in a child process; what it does with another text is found only with that text.
Python's own tracing asks at each line of the template's code whether its time is over. Knows no tokenizer.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

TEMPLATE_FILE = "<template>"  # how Jinja names the code of a template that is no file


class OutOfTime(Exception):
    """A template has not come to its end."""


@contextmanager
def template_deadline(seconds: float) -> Iterator[None]:
    """Raises OutOfTime, within a template that this thread renders in the block, once ``seconds`` are over."""
    end, usual = time.monotonic() + seconds, sys.gettrace()

    def watch(frame: FrameType, event: str, _argument: object) -> Any:  # noqa: ANN401 - itself, as sys.settrace wants it
        if frame.f_code.co_filename != TEMPLATE_FILE:
            return None
        if event == "line" and time.monotonic() > end:
            raise OutOfTime
        return watch

    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(usual)
