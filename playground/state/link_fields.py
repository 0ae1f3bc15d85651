"""Fields of a page's state, declared once: name in the link, reading and writing, bounds, label, help.

A state is a frozen dataclass whose fields come from the functions below:

>>> @dataclass(frozen=True, slots=True)
... class Peaks:
...     rows: int = whole(10, 1, 50, label="Rows")
...     scale: str = one_of("linear", {"linear": "Linear", "log": "Logarithmic"}, label="Scale", name="axis")
>>> link_of(Peaks(rows=20))
{'rows': '20'}
>>> read_link(Peaks, {"rows": "20", "axis": "log"}).state
Peaks(rows=20, scale='log')

The link, its reading, the widgets (`ui/kit/widgets.py`) and the command line's words follow from that. Knows no page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from playground.errors import BadInput, PlaygroundError
from playground.json_reading import read_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")
V = TypeVar("V")
Whole = TypeVar("Whole", int, int | None)
Real = TypeVar("Real", float, float | None)
Text = TypeVar("Text", str, str | None)
LONGEST_TEXT = 100_000  # characters of one field
_METADATA = "link_field"


@dataclass(frozen=True, slots=True)
class LinkField:
    """One thing that can be set.

    ``name`` is its name in a link, ``read`` gives its value from text (raises BadInput or ValueError) and ``write`` the
    text again. ``choices`` maps each allowed value to what the reader sees; ``low``, ``high`` and ``step`` bound a
    number. ``always``: it stands in a link at its default too. ``flag``: the command line's name for it, "" for none.
    ``old_name``: what links from before called it, "" for nothing else; they still open. ``unlinked``: whether a value stays
    out of links, as what is personal or means something in this session only.
    """

    name: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    label: str = ""
    help: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: Mapping[Any, str] | None = None
    placeholder: str = ""
    always: bool = False
    flag: str = ""
    old_name: str = ""
    unlinked: Callable[[Any], bool] = lambda value: False


@dataclass(frozen=True, slots=True)
class Reading(Generic[S]):
    """What a link said: a state, and one sentence about each value that could not be used."""

    state: S
    problems: tuple[str, ...] = ()


def link_fields(state: DataclassInstance | type[DataclassInstance]) -> dict[str, LinkField]:
    """The link fields of a state or its class by attribute, in the order of their declaration."""
    return {each.name: _named(each) for each in fields(state) if _METADATA in each.metadata}


def _named(each: Field[Any]) -> LinkField:
    declaration: LinkField = each.metadata[_METADATA]
    return declaration if declaration.name else replace(declaration, name=each.name)


def link_of(state: DataclassInstance, only: Collection[str] | None = None) -> dict[str, str]:
    """The query fields that bring ``state`` (``only`` these attributes) back; values at their default are left out."""
    usual = type(state)()
    return {
        declaration.name: declaration.write(getattr(state, attribute))
        for attribute, declaration in link_fields(state).items()
        if (only is None or attribute in only)
        and (declaration.always or getattr(state, attribute) != getattr(usual, attribute))
        and not declaration.unlinked(getattr(state, attribute))
    }


def read_link(
    kind: type[S],
    query: Mapping[str, str],
    base: S | None = None,
    check: Callable[[S], object] = lambda state: None,
    only: Collection[str] | None = None,
) -> Reading[S]:
    """A state from query fields, on top of ``base``. Never raises: what cannot be used is told and left as it was.

    Unknown fields are ignored: a link has the fields of other states, and others add their own. ``check`` is given
    each new state and may refuse it (BadInput), for fields that only make sense together. ``only``: these attributes.
    """
    state = kind() if base is None else base
    problems: list[str] = []
    for attribute, declaration in link_fields(kind).items():
        name = declaration.name if declaration.name in query else declaration.old_name
        if not name or name not in query or (only is not None and attribute not in only):
            continue
        try:
            changed = change(state, {attribute: declaration.read(query[name][: LONGEST_TEXT + 1])})
            check(changed)
            state = changed
        except (PlaygroundError, ValueError) as error:
            said = (
                str(error) if isinstance(error, PlaygroundError) else f"The link's {declaration.name} cannot be read."
            )
            problems.append(f"{said} The link's value was left out.")
    return Reading(state, tuple(problems))


def change(state: S, values: Mapping[str, Any]) -> S:
    """``state`` with some fields replaced."""
    return replace(state, **values)


def command_words(state: DataclassInstance) -> list[str]:
    """``--flag=value`` for every field that the command line has too and that is not at its default."""
    usual, words = type(state)(), list[str]()
    for attribute, declaration in link_fields(state).items():
        value = getattr(state, attribute)
        if not declaration.flag or value == getattr(usual, attribute):
            continue
        if isinstance(value, bool):
            words += [f"--{declaration.flag}"] if value else []
        elif isinstance(value, tuple):
            words += [f"--{declaration.flag}={item}" for item in value]
        else:
            words.append(f"--{declaration.flag}={declaration.write(value)}")
    return words


# -- kinds of fields ---------------------------------------------------------------------------------------------------


def link_field(default: V, read: Callable[[str], V], *, name: str = "", **about: Any) -> V:
    """A field with a reader of its own; ``about`` are further arguments of ``LinkField``.

    Typed as ``dataclasses.field`` is: the value of the attribute that it declares.
    """
    return field(default=default, metadata={_METADATA: LinkField(name, read, **about)})


def _refused(about: Mapping[str, Any], why: str) -> BadInput:
    """A refusal that names the field as the reader knows it: typed and linked values are read by the same function."""
    return BadInput(f"{about['label']}: {why}" if about.get("label") else why)


def flag(default: bool = False, **about: Any) -> bool:
    """On or off: 1 or 0 in a link."""
    return link_field(default, read_flag, write=lambda on: "1" if on else "0", **about)


def read_flag(text: str) -> bool:
    """True for 1, False for 0. Raises BadInput for anything else."""
    if text not in ("0", "1"):
        raise BadInput(f"{text[:20]!r} is neither 0 nor 1.")
    return text == "1"


def whole(default: Whole, low: int, high: int, **about: Any) -> Whole:
    """A whole number from ``low`` to ``high``; None where nothing is chosen (and then no field of a link)."""

    def read(text: str) -> int:
        digits = text.removeprefix("-")
        value = int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else low - 1
        if not low <= value <= high:
            raise _refused(about, f"{text[:20]!r} is not a whole number from {low:,} to {high:,}.")
        return value

    bounds: dict[str, Any] = {"low": low, "high": high, "step": 1}
    return link_field(default, read, **bounds | about)


def real(default: Real, low: float, high: float, **about: Any) -> Real:
    """A finite number from ``low`` to ``high``."""

    def read(text: str) -> float:
        value = float(text[:40])
        if not low <= value <= high:  # false for a NaN too
            raise _refused(about, f"{text[:20]!r} is not a number from {low:g} to {high:g}.")
        return value

    bounds: dict[str, Any] = {"low": low, "high": high, "write": lambda value: f"{value:.10g}"}
    return link_field(default, read, **bounds | about)


def one_of(default: str, choices: Mapping[str, str], **about: Any) -> str:
    """One of the keys of ``choices``; its values are what the reader sees."""

    def read(text: str) -> str:
        if text not in choices:
            raise _refused(about, f"{text[:20]!r} is none of {', '.join(choices)}.")
        return text

    return link_field(default, read, choices=dict(choices), **about)


def text(default: Text = "", longest: int = LONGEST_TEXT, **about: Any) -> Text:
    """Any text of at most ``longest`` characters, without broken ones."""
    return link_field(default, lambda given: read_text(given, longest), high=longest, **about)


def read_text(given: str, longest: int = LONGEST_TEXT) -> str:
    """``given``, checked. Raises BadInput when it is too long or holds lone surrogates."""
    if len(given) > longest:
        raise BadInput(f"The text has more than the {longest:,} characters that are read; shorten it.")
    if any("\ud800" <= character <= "\udfff" for character in given):
        raise BadInput("The text has broken characters (lone surrogates) in it; the present text is kept.")
    return given


def texts(
    default: tuple[str, ...] = (), most: int = 64, each: Callable[[str], object] = str, **about: Any
) -> tuple[str, ...]:
    """A list of texts, as JSON in a link; ``each`` may refuse one of them."""

    def read(given: str) -> tuple[str, ...]:
        entries = read_json(given)
        if not isinstance(entries, list) or len(entries) > most or not all(isinstance(item, str) for item in entries):
            raise _refused(about, f"not a list of at most {most} texts.")
        for item in entries:
            each(read_text(item))
        return tuple(entries)

    return link_field(default, read, write=lambda items: json.dumps(list(items), ensure_ascii=False), **about)
