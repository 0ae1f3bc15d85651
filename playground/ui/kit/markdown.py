"""Text that is not ours made harmless for Streamlit's Markdown."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=@/])")


def escape_markdown(text: str) -> str:
    """``text`` with everything that Markdown, HTML, LaTeX or Streamlit's colour syntax could act on made literal."""
    return _MARKDOWN.sub(r"\\\1", text.replace("\n", " ").replace("\r", " "))
