"""What the Sampling page gives away beside its link: the settings as code for other engines, and as a file."""

from __future__ import annotations

import json

from playground.ui.kit.file_button import file_button
from playground.ui.workspace.export import code_for_engines
from playground.ui.workspace.setup import setup


def export_settings() -> None:
    """Code and JSON of the present settings."""
    shown = setup()
    code_for_engines(shown, key="export_engine", playground=True)
    file_button(
        "Settings as JSON",
        "sampling.json",
        lambda: json.dumps({"seed": shown.seed, **shown.settings.to_mapping(only_changed=False)}, indent=1),
        quiet=True,
    )
