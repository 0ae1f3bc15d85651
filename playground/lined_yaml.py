"""A stranger's YAML as texts, lists and mappings, with the line of each: bounded, and nothing in it runs or refers.

YAML's own types are not asked for, so "no" and "1e3" stay the texts they are; who knows the schema reads them. Tags, anchors
and aliases are refused: no file of ours needs them, and a few lines of aliases may stand for more than a memory holds. Knows
neither lessons nor plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from playground.errors import BadInput

MOST_BYTES = 200_000
MOST_DEPTH = 8
MOST_NODES = 5_000
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class LinedData:
    """``value`` is made of str, list and dict. ``lines`` has the line, from 1, of each part by its path."""

    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """Where the part of that path stands, or what would hold it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_lined(text: str, what: str = "lesson") -> LinedData:
    """Raises BadInput with one sentence that names the line of the ``what``."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise BadInput(f"The file is larger than the {MOST_BYTES:,} bytes that a {what} may have: shorten it.", what)
    try:
        _check_events(text, what)
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _refused(what, line, f"this is no YAML ({error.problem})") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refused(what, line, "there is a character that no text file has") from None
    if root is None:
        raise _refused(what, 1, "the file is empty")
    lines: dict[Path, int] = {}
    return LinedData(_value(root, (), lines, what), lines)


def _check_events(text: str, what: str) -> None:
    """Before anything is built: the parser reads events one by one, without recursion."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused(what, line, "anchors and aliases (& and *) are not read; write the text out")
        if getattr(event, "tag", None):
            raise _refused(what, line, "tags (!) are not read; leave it out")
        nodes += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH or nodes > MOST_NODES:
            raise _refused(what, line, f"there is more within each other, or more in all, than a {what} has")


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], what: str) -> Any:  # noqa: ANN401 - a tree of texts
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, (*path, place), lines, what) for place, each in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    mapping: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise _refused(what, line, "a name must be a word")
        if key.value in mapping:
            raise _refused(what, line, f"{key.value[:40]!r} stands here twice")
        mapping[key.value] = _value(value, (*path, key.value), lines, what)
        lines[*path, key.value] = line
    return mapping


def _refused(what: str, line: int, why: str) -> BadInput:
    return BadInput(f"Line {line:,} of the {what}: {why}.", what)
