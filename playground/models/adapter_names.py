"""The one word that names a model with an adapter on it: ``base+adapter*0.5``, ``+adapter`` or ``base+adapter*1*merged``.

It stands wherever a model's name stands: in links, pins, the environment and on the command line. Loads nothing; looks
at most whether a folder is there.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

from playground.errors import BadInput
from playground.models.address import is_address
from playground.models.wording import shown

STRENGTHS = (0.0, 1.5)
"""The least and the most an adapter's part may be multiplied with; 1 is as it was trained."""

_MERGED = "merged"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+|nan|inf)", re.I)
_DIGITS = 3  # of a strength, after the point


@dataclass(frozen=True, slots=True)
class AdapterName:
    """``base`` "": the model that is meant without a name. ``adapter``: an id of one that was kept here, or a folder.

    ``merged``: the base's weights are changed, in a copy; else the adapter's part is added to each product.
    """

    base: str
    adapter: str
    strength: float = 1.0
    merged: bool = False

    @property
    def text(self) -> str:
        """The form that ``split_adapter`` reads."""
        strength = "" if self.strength == 1.0 and not self.merged else f"*{self.strength:g}"
        return f"{self.base}+{self.adapter}{strength}" + (f"*{_MERGED}" if self.merged else "")

    @property
    def wish(self) -> str:
        """The same without the base: ``+adapter*0.5``."""
        return replace(self, base="").text


def split_adapter(spec: str | None) -> AdapterName | None:
    """The parts of a name with an adapter in it, None of one without. Raises BadInput for a strength out of range.

    >>> split_adapter("org/model+a7f3c2e91b04*0.5")
    AdapterName(base='org/model', adapter='a7f3c2e91b04', strength=0.5, merged=False)
    >>> split_adapter("org/model") is None
    True
    """
    text = (spec or "").strip()
    if "+" not in text or _is_model(text):
        return None
    places = [place for place, sign in enumerate(text) if sign == "+"]
    place = next((place for place in places if _may_be_base(text[:place])), places[0])
    base, rest = text[:place], text[place + 1 :]
    if is_address(base) and not _is_kept_or_folder(rest):
        return None  # a plus sign in an address
    strength, merged = 1.0, False
    while "*" in rest:
        left, _, word = rest.rpartition("*")
        if word.lower() == _MERGED:
            merged = True
        elif _NUMBER.fullmatch(word):
            strength = read_strength(word)
        else:
            break
        rest = left
    if not rest.strip():
        raise BadInput(f"{shown(text)} names no adapter after the +: give its id or its folder.", "model")
    return AdapterName(base.strip(), rest.strip(), strength, merged)


def read_strength(text: str | float) -> float:
    """An adapter's strength, to three decimals. Raises BadInput outside of ``STRENGTHS``."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    low, high = STRENGTHS
    if not low <= value <= high:
        raise BadInput(f"An adapter's strength is a number from {low:g} to {high:g}, not {str(text)[:20]}.", "model")
    return round(value, _DIGITS) + 0.0


def with_adapter(spec: str | None, adapter: str, strength: float = 1.0, *, merged: bool = False) -> str:
    """``spec`` with this adapter on it, in the place of the one that it had."""
    return AdapterName(without_adapter(spec) or "", adapter, read_strength(strength), merged).text


def without_adapter(spec: str | None) -> str | None:
    """The base of a name; None: the model that is meant without a name."""
    split = split_adapter(spec)
    return (spec or None) if split is None else split.base or None


def _is_model(text: str) -> bool:
    """Whether a model lies at the whole text, which has a plus sign in its name then."""
    try:
        path = Path(text).expanduser()
        return (path / "config.json").is_file() or (path.suffix.lower() == ".gguf" and path.is_file())
    except (OSError, ValueError, RuntimeError):
        return False


def _may_be_base(left: str) -> bool:
    path_like = left.startswith(("/", ".", "~")) or "\\" in left or left.lower().endswith(".gguf")
    return not path_like or _is_model(left)


def _is_kept_or_folder(right: str) -> bool:
    return re.match(r"(?:[0-9a-f]{12}(?:\*|$)|[/.~])", right) is not None
