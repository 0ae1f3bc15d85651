"""Reads the components' scripts and styles. A component takes one text of each kind, so the files are joined here.

The scripts are modules that import one another by name; linter and tests read them as they are. There is no build step:
joining puts what a module imports before it, each file once, and drops the import lines. Streamlit sends a component's script
with each of its drawings, at every move of a slider: lines of comment and indentation stay here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
_IMPORT = re.compile(r'^import (?:\w+|\{[^}]*\}) from "\./(\w+\.js)"\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:default )?", re.MULTILINE)
_UNREAD = re.compile(r"^(?:[ \t]*//.*\n|[ \t]+)", re.MULTILINE)
_DRAWS = re.compile(r"^export default function (\w+)", re.MULTILINE)


def style(*names: str) -> str:
    """The style sheets' texts, one after the other."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


def script(name: str) -> str:
    """The module ``name`` as one text without imports; it exports what ``name`` exports and nothing else."""
    *imported, own = _modules([name])
    return "\n".join([*(_EXPORT.sub("", text) for text in imported), own])


def drawing_script(name: str) -> str:
    """The same of a component's module, whose drawings are kept in order (``in_order.js``)."""
    *imported, own = _modules(["in_order.js", name])
    draws = _DRAWS.search(own)
    if draws is None:
        raise ValueError(f"{name} exports no function that draws.")
    texts = [_EXPORT.sub("", text) for text in (*imported, own)]
    return _UNREAD.sub("", "\n".join([*texts, f"export default inOrder({draws[1]})\n"]))


def _modules(names: Sequence[str]) -> list[str]:
    """The texts of ``names`` and of all that they import, each once and behind what it imports; the last name's is last."""
    texts: dict[str, str] = {}

    def add(module: str) -> None:
        text = (FOLDER / module).read_text(encoding="utf-8")
        for imported in _IMPORT.findall(text):
            if imported not in texts:
                add(imported)
        texts[module] = _IMPORT.sub("", text)

    for name in names:
        add(name)
    return list(texts.values())
