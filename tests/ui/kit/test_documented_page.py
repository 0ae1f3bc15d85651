"""The page that docs/architecture.md shows is built and run from exactly that text."""

from __future__ import annotations

import os
import re
import shutil
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pages
from playground.state.link_fields import read_link
from playground.ui import frame
from tests.ui.conftest import ROOT, Opened

TEXT = re.search(r"## A complete new page.*?```python\n(.*?)```", (ROOT / "docs" / "architecture.md").read_text(), re.S)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> types.ModuleType:
    """The documented text as the module ``pages.mass``, with its place in the sidebar, beside a copy of the others."""
    assert TEXT is not None
    shutil.copytree(ROOT / "pages", tmp_path / "pages")
    script = tmp_path / "pages" / "mass.py"
    script.write_text(TEXT[1], encoding="utf-8")
    module = types.ModuleType("pages.mass")
    monkeypatch.setitem(sys.modules, "pages.mass", module)
    exec(compile(TEXT[1], str(script), "exec"), module.__dict__)
    monkeypatch.setitem(pages.PAGES, "mass", module.PAGE)
    monkeypatch.setattr(frame, "_ROOT", tmp_path)
    return module


def test_it_is_one_short_file(page: types.ModuleType) -> None:
    assert TEXT is not None and len(TEXT[1].splitlines()) < 120
    assert page.PAGE.needs and page.PAGE.experiments and page.PAGE.export


def test_its_picture_link_slider_experiment_and_export_work(
    page: types.ModuleType, open_app: Callable[..., Opened], tmp_path: Path
) -> None:
    app = open_app({"prompt": "hello", "tokens": "20"}, run=False)
    app.at.switch_page(os.path.relpath(tmp_path / "pages" / "mass.py", ROOT / "playground" / "ui"))
    app.run()
    row = app.engine.next_logits(app.engine.codec.encode("hello")).logits
    weights = np.sort(np.exp(row - row.max()))[::-1]
    expected = weights[:20].sum() / weights.sum()
    assert f"The 20 likeliest tokens hold {100 * expected:.2f}%" in app.texts()
    calls = len(app.engine.calls)
    app.at.slider(key="MassState.tokens").set_value(50)
    app.run()
    assert "The 50 likeliest tokens" in app.texts() and len(app.engine.calls) == calls, "a slider runs no model"
    query = dict(app.component("address"))["query"]
    assert "tokens=50" in query and "prompt=hello" in query
    assert read_link(page.MassState, {"tokens": "50"}).state == app.state(page.MassState)
    app.hold(take_away=True)
    assert "tokens=50" in app.at.code[0].value and app.at.get("download_button")
    app.at.button(key="try_mass_sure").click()
    app.run()
    assert "loaf of" in (app.at.text_area(key="w_prompt").value or "") and "The 10 likeliest tokens" in app.texts()
