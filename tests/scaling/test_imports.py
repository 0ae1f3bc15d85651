"""The calculator knows no model, no engine and no page: importing all of it brings in none of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import playground.scaling

ROOT = Path(__file__).parents[2]


def test_importing_everything_brings_in_nothing_heavy() -> None:
    names = sorted(
        path.stem for path in Path(playground.scaling.__file__).parent.glob("*.py") if path.stem != "__init__"
    )
    assert len(names) > 15
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module('playground.scaling.' + name)\n"
        "heavy = ('torch', 'transformers', 'streamlit', 'scipy', 'pandas', 'plotly', 'genai_prices',\n"
        "         'playground.engine', 'playground.models', 'playground.ui')\n"
        "sys.exit(','.join(name for name in heavy if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done.stderr
