"""Running the command line inside the test's own process, and what every refusal has in common."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.cli import main

Capture = pytest.CaptureFixture[str]


def answer(capsys: Capture, *arguments: str) -> dict[str, Any]:
    """The one JSON object of a successful command, read strictly: NaN and a second object are errors."""

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is not JSON")

    status = main([*arguments, "--json"])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    document = json.loads(printed.out, parse_constant=refuse)
    assert isinstance(document, dict)
    assert printed.out.count("\n") == 1
    return document


def refusal(capsys: Capture, *arguments: str) -> str:
    """The one line of a refused command: exit 2, nothing on stdout, no traceback."""
    status = main(list(arguments))
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), printed.err
    assert "Traceback" not in lines[0] and "unexpected" not in lines[0] and "please report" not in lines[0]
    return lines[0]
