"""A page as data: what it shows, what it needs, what stands where. ``ui/frame.py`` draws it.

>>> PAGE = PageSpec(
...     name="peaks", group="Choose a word", title="Peaks", icon=":material/landscape:",
...     about="The likeliest next tokens.", sentence="What the model would say next.", needs=(NextTokens,),
...     view=load_view, sections={"bars": Section("Bars", draw_bars)}, state=Peaks, controls=draw_controls,
... )  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.state.link_fields import Reading

Need = type | tuple[type, ...]
"""A facet of the engine; several of which any will do."""


@dataclass(frozen=True, slots=True)
class Section:
    """One tab of a page. ``draw`` is given what its ``view`` gave, the page's where it has none of its own.

    ``needs``: facets of the engine beside the page's own. ``export``: what the
    "Take away" popover offers while the tab is open. ``options`` stand above the picture, or ``beside`` it, and ``reading``
    below it; neither is redrawn when the picture is. ``shown``: whether this reader has the tab, on pages without controls.
    """

    title: str
    draw: Callable[[Any], None]
    needs: tuple[Need, ...] = ()
    view: Callable[[], Any] | None = None
    export: Callable[[], None] | None = None
    options: Callable[[], None] | None = None
    beside: bool = False
    reading: Callable[[], None] | None = None
    shown: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Experiment:
    """A button "Try this": it sets the page up so that one thing can be seen, and says what to look at until it is closed.

    ``setup``: fields of the shared setup, on the model in use. ``state``: fields of the
    page's own state. ``section``: the tab to open. ``puts``: further states for the session.
    """

    label: str
    shows: str
    look: str
    setup: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    section: str = ""
    puts: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class PageSpec:
    """One page.

    ``about`` is the sidebar's hover text, ``sentence`` the one under the title. ``needs``: facets of the engine without
    which there is nothing to show; () for a page that loads no model. ``view`` gives what the sections draw: it is
    computed anew with the pictures and may raise Pending. ``state``: the page's own frozen state, whose fields its link
    carries beside the shared setup's. ``text`` is drawn above the tabs and redrawn with the text, ``below`` under
    them, redrawn with the pictures (a table that all tabs share). ``export`` fills the "Take away" popover below link and code.
    ``link``, ``adopt`` and ``begin``: the link's own fields, their reading and the start of an experiment, where several
    pages share one state. ``parts``: fragments of the page's own, such as "text:overview".
    ``one_fragment``: controls and pictures are redrawn together, the pictures first;
    for pages whose controls are cheap. Without ``controls`` the sections have the whole width.
    ``listed``: whether the sidebar has it now. ``tell``: what a room's leader shows that no link carries, a word for
    ``follow`` on the pages of those who follow ("": nothing).
    """

    name: str
    group: str
    title: str
    icon: str
    about: str
    sentence: str
    sections: Mapping[str, Section]
    needs: tuple[Need, ...] = ()
    view: Callable[[], Any] = lambda: None
    state: type[Any] | None = None
    controls: Callable[[], None] | None = None
    text: Callable[[], None] | None = None
    below: Callable[[], None] | None = None
    experiments: Mapping[str, Experiment] = field(default_factory=dict)
    export: Callable[[], None] | None = None
    link: Callable[[], Mapping[str, str]] | None = None
    adopt: Callable[[Mapping[str, str]], Reading[Any]] | None = None
    begin: Callable[[Experiment], None] | None = None
    on_open: Callable[[], None] = lambda: None
    one_fragment: bool = False
    parts: tuple[str, ...] = ()
    default: bool = False
    listed: Callable[[], bool] = lambda: True
    tell: Callable[[], str] = lambda: ""
    follow: Callable[[str], None] = lambda on_screen: None

    @property
    def section_key(self) -> str:
        """Where the session keeps the title of the open tab."""
        return f"{self.name}_section"
