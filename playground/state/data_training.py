"""What the page Training data can be set to: which rules hold, moved dials, the wanted language. Never a document."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.corpus.rules import GROUPS, RULES, USUAL, read_rule, rules_of
from playground.errors import BadInput
from playground.state.link_fields import link_field, one_of, texts

_CODE = re.compile(r"[a-z]{2,3}")
SHOWN = {"removed": "Removed", "kept": "Kept", "one": "By one rule alone", "all": "All"}
SLICED = {"label": "Label", "language": "Language", "dialect": "Dialect", "domain": "Domain", "source": "Source"}


def _read_language(given: str) -> str:
    if not _CODE.fullmatch(given):
        raise BadInput(f"{given[:20]!r} is no language code such as en or hi.", "language")
    return given


@dataclass(frozen=True, slots=True)
class FilterState:
    """``groups``: whose rules hold. ``dials``: moved thresholds as ``rule:number``. ``group``: whose sliders are shown."""

    groups: tuple[str, ...] = texts(USUAL, each=lambda name: rules_of([name]), label="Filters")
    dials: tuple[str, ...] = texts((), each=read_rule, label="Dials")
    language: str = link_field("en", _read_language, label="Wanted language", name="wanted")
    group: str = one_of("gopher-quality", {name: group.label for name, group in GROUPS.items()}, label="Dials of")
    shown: str = one_of("removed", SHOWN, label="Documents", name="documents")
    sliced: str = one_of("label", SLICED, label="By", name="by")

    @property
    def thresholds(self) -> dict[str, float]:
        """The rules that hold with their thresholds."""
        moved = self.moved
        return {name: moved.get(name, RULES[name].threshold) for name in rules_of(self.groups)}

    @property
    def moved(self) -> dict[str, float]:
        """The thresholds that are not the published ones, also of rules that do not hold now."""
        return {name: value for given in self.dials for name, value in read_rule(given).items()}
