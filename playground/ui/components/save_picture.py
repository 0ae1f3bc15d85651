"""A button in the take-away popover that has the browser save a picture of the page as a PNG: it is drawn there already."""

from __future__ import annotations

from playground.ui.components.declare import Component

_SAVE = Component(
    "save_picture",
    html='<button type="button" class="save">\n</button>\n',
    styles=("save_picture.css",),
    script="save_picture.js",
)


def save_picture_button(label: str, picture: str, *, key: str) -> None:
    """A button called ``label``; ``picture`` names the file, and the component that hears it (``picture.js``)."""
    _SAVE(data={"label": label, "picture": picture}, key=key, width="content")
