"""Adapters on the pages: chosen in the sidebar, live in strength, pinned beside their base, by link, for guests, as files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from playground.engine.api import Engine, NextTokens
from playground.engine.facets import require
from playground.engine.factory import make_engine
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.serving.loading import AtRest, ModelChoice
from playground.engine.types import FloatArray, NextLogits, TokenIds
from playground.errors import ModelNotFound
from playground.models.adapter_files import adapter_zip
from playground.models.adapter_names import split_adapter
from playground.models.naming import ComparedModel
from playground.state.setup import Setup
from playground.store.adapters import WEIGHTS, kept_folder, new_adapter
from playground.ui import runtime
from playground.ui.workspace import adapter_access
from playground.ui.workspace import adapters as workspace
from tests.models.test_adapters import CONFIG_OF_PEFT, write_adapter
from tests.models.tiny_adapter import save_adapter
from tests.training.tiny_student import save_tiny
from tests.ui.conftest import Opened
from tests.ui.openings import Openings
from tests.ui.test_generate_beside import HOT, compare, works
from tests.ui.test_generate_page import reference

Open = Callable[..., Opened]
real_opener = runtime._open_engine
FOR_BUNDLED = CONFIG_OF_PEFT | {"base_model_name_or_path": "HuggingFaceTB/SmolLM2-135M-Instruct"}


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    monkeypatch.delenv("PLAYGROUND_MODEL", raising=False)


@pytest.fixture
def openings() -> Iterator[Openings]:
    opener = Openings()
    yield opener
    opener.gate.set()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeEngine]:
    """Engines over others' weights by their names: fakes whose logits are scaled by 1 + strength."""
    engines: dict[str, FakeEngine] = {}

    def adapted(choice: ModelChoice, base: Engine, at_rest: AtRest) -> Engine:
        name = split_adapter(choice.spec)
        assert name is not None
        if kept_folder(name.adapter) is None:
            raise ModelNotFound("There is no adapter of this name: choose another one.")
        engine = FakeEngine(lambda ids: default_logits(ids) * (1 + name.strength))
        engine._info = replace(engine.info, name=f"adapted {name.strength:g}", revision=f"adapted {choice.spec}")
        engines[str(choice.spec)] = engine
        return engine

    monkeypatch.setattr(runtime, "_open_adapted", adapted)
    return engines


def keep(name: str = "tone", owner: str = "local") -> str:
    return write_adapter(new_adapter(owner, name), FOR_BUNDLED).name


def test_chosen_in_the_sidebar_and_live_in_strength(
    open_app: Open, openings: Openings, opened: dict[str, FakeEngine]
) -> None:
    id = keep()
    app = open_app({"prompt": "hello"}, opener=openings).hold(adapter=True)
    plain = app.bars["rows"][0]["raw"]
    app.put(replace(app.state(Setup), steps=(104, 105), position=2))
    app.run()
    app.at.button(key=f"adapter_{id}").click()
    app.run()
    assert app.state(Setup).model == f"+{id}" and "adapted 1" in app.texts().replace("\\", "")
    assert app.state(Setup).steps == (104, 105), "the tokens are the base's: what was accepted stays"
    for strength in (0.25, 1.5):
        app.at.slider(key="adapter_strength").set_value(strength)
        app.run()
        assert app.state(Setup).model == f"+{id}*{strength:g}" and f"adapted {strength:g}" in app.texts().replace(
            "\\", ""
        )
    app.at.toggle(key="adapter_merged").set_value(True)
    app.run()
    assert app.state(Setup).model == f"+{id}*1.5*merged"
    app.at.button(key="adapter_off").click()
    app.run()
    assert app.state(Setup).model is None
    app.put(Setup(prompt="hello", model=f"+{id}"))
    app.run()
    app.at.button(key="adapter_delete").click()
    app.run()
    assert app.state(Setup).model is None and kept_folder(id) is None
    app.put(Setup(prompt="hello"))
    assert app.run().bars["rows"][0]["raw"] == plain
    assert list(openings.engines) == [ModelChoice()] and len(opened) == 4, "the base was loaded once"


def test_pinned_beside_its_base(open_app: Open, openings: Openings, opened: dict[str, FakeEngine]) -> None:
    id = keep("my [tone](x)")
    app = open_app({"prompt": "hello"}, opener=openings).section("Compare").hold(pin_model=True)
    (chooser,) = [each for each in app.at.selectbox if each.key == "pinned_model"]
    assert "my [tone](x), an adapter on the model in use" in list(chooser.options)
    app.put(Setup(prompt="hello", beside=(ComparedModel(f"+{id}*0.5"), ComparedModel(f"+{id}"))))
    app.run()
    assert not [button.key for button in app.at.button if (button.key or "").startswith("load_")], "nothing to ask"
    frame = next(each.value for each in app.at.dataframe if "total variation" in each.value.columns)
    assert len(frame) == 3 and list(openings.engines) == [ModelChoice()] and len(opened) == 2


def test_a_link_with_a_kept_adapter_opens_and_one_that_is_gone_says_so(
    open_app: Open, openings: Openings, opened: dict[str, FakeEngine]
) -> None:
    id = keep()
    app = open_app({"prompt": "hello", "model": f"+{id}*0.5"}, opener=openings, run=False)
    runtime.model_pool().keep_ready(ModelChoice()).done.wait(30)
    app.run()
    assert "adapted 0.5" in app.texts().replace("\\", "")
    app.put(Setup(prompt="hello", model="+0123456789ab"))
    app.run()
    assert any("There is no adapter" in error for error in app.errors)


def test_an_adapter_that_cannot_be_loaded_leaves_the_way_back(
    open_app: Open, openings: Openings, opened: dict[str, FakeEngine]
) -> None:
    app = open_app({"prompt": "hello"}, opener=openings).hold(adapter=True)
    app.put(Setup(prompt="hello", model="+" + "0" * 12))
    app.run()
    assert any("There is no adapter" in error for error in app.errors)
    app.at.button(key="adapter_off").click()
    app.run()
    assert not app.errors and app.state(Setup).model is None


def test_an_upload_is_put_on_and_a_broken_one_told(
    open_app: Open, openings: Openings, opened: dict[str, FakeEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Given(io.BytesIO):
        name, file_id = "tone.zip", "one"

    given = Given(adapter_zip(write_adapter(tmp_path / "made", FOR_BUNDLED)))
    monkeypatch.setattr(workspace, "file_uploader", lambda *args, **options: given)
    app = open_app({"prompt": "hello"}, opener=openings).hold(adapter=True)
    name = split_adapter(app.state(Setup).model)
    assert name is not None and "adapted 1" in app.texts().replace("\\", "")
    given = Given(b"no zip")
    given.file_id = "two"
    app.run()
    assert any("no zip that can be read" in error for error in app.errors)
    for how, words in (("pickle", "pickled"), ("code", "Python code")):
        folder = write_adapter(tmp_path / how, FOR_BUNDLED)
        if how == "pickle":
            (folder / WEIGHTS).rename(folder / "adapter_model.bin")
        else:
            (folder / "modeling.py").write_text("print()")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as file:
            for each in folder.iterdir():
                file.write(each, f"adapter/{each.name}")
        given = Given(packed.getvalue())
        given.file_id = how
        app.run()
        assert [words in error for error in app.errors] == [True], app.errors
    other = Given(adapter_zip(write_adapter(tmp_path / "other", CONFIG_OF_PEFT)))
    other.file_id = "three"
    given = other
    app.run()
    assert any("choose that model" in error for error in app.errors)


def test_a_guest_has_his_own_adapters_and_no_others(
    open_app: Open, openings: Openings, opened: dict[str, FakeEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_SHARED", "1")
    for module in (workspace, adapter_access):
        monkeypatch.setattr(module, "owner_id", lambda: "me")
    own, other = keep("mine", "me"), keep("other", "somebody")
    app = open_app({"prompt": "hello"}, opener=openings).hold(adapter=True)
    shown = [button.key for button in app.at.button]
    assert f"adapter_{own}" in shown and f"adapter_{other}" not in shown
    app.put(Setup(prompt="hello", model=f"+{own}"))
    assert "adapted 1" in app.run().texts()
    app.put(Setup(prompt="hello", model=f"+{other}"))
    app.run()
    assert any("This shared server offers" in error for error in app.errors)


def test_generates_compare_holds_base_and_adapter_over_one_copy(
    open_app: Open, openings: Openings, opened: dict[str, FakeEngine]
) -> None:
    id = keep()
    app = compare(open_app, openings, ComparedModel(f"+{id}*0.5"))
    assert not app.errors and list(openings.engines) == [ModelChoice()], "the base was loaded once"
    (adapted,) = opened.values()
    own, other = (works(app)[section].tree.path_ids(0) for section in ("compare", "beside X"))
    assert own == reference(FakeEngine(), settings=HOT) and other == reference(adapted, settings=HOT)


def row_of(engine: Engine, ids: TokenIds) -> FloatArray:
    row = require(engine, NextTokens).next_logits(ids)
    assert isinstance(row, NextLogits)
    return row.logits


def test_the_merged_model_is_written_and_is_a_models_name(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = save_tiny(tmp_path / "base")
    id = save_adapter(base, new_adapter("local", "tone"), target_modules=["q_proj", "v_proj"]).name
    monkeypatch.setenv("PLAYGROUND_MODEL", str(base))
    app = open_app({"prompt": "the cat", "model": f"+{id}*0.5"}, opener=real_opener, run=False)
    runtime.model_pool().keep_ready(ModelChoice()).done.wait(60)
    app.hold(adapter=True)
    app.at.button(key="write_merged").click()
    app.run()
    while not (written := [code.value for code in app.at.code if "merged" in code.value]):
        assert not app.errors, app.errors
        app.run()
    merged, own = (make_engine(name, device="cpu", dtype="float32") for name in (written[0], f"{base}+{id}*0.5"))
    ids = own.codec.encode("the cat")
    np.testing.assert_allclose(row_of(merged, ids), row_of(own, ids), atol=1e-5)
    for engine in (merged, own):
        engine.close()
