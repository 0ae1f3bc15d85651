"""What a specification names, and that no text can do harm or end in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput, ModelNotFound
from playground.models.catalogue import CATALOGUE, DEFAULT_MODEL, resolve
from playground.models.wording import shown


@pytest.mark.parametrize("id", CATALOGUE)
def test_every_catalogue_name_resolves(id: str) -> None:
    source = resolve(id)
    assert source.id == id
    assert source.kind == ("bundled" if CATALOGUE[id].bundled else "hub")
    assert source.hub_id == CATALOGUE[id].hub_id
    assert resolve(CATALOGUE[id].hub_id).hub_id == CATALOGUE[id].hub_id


def test_nothing_said_means_the_environment_and_then_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve().id == DEFAULT_MODEL
    monkeypatch.setenv("PLAYGROUND_MODEL", "org/other@abc123")
    source = resolve()
    assert (source.kind, source.hub_id, source.revision) == ("hub", "org/other", "abc123")
    monkeypatch.setenv("PLAYGROUND_MODEL", "  ")
    assert resolve().id == DEFAULT_MODEL


def test_names_are_found_in_any_case() -> None:
    assert resolve(" SmolLM2-135M-Instruct ").kind == "bundled"


def test_folders_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    (tmp_path / "org" / "name" / "config.json").write_text("{}")
    (tmp_path / "weights.gguf").write_bytes(b"GGUF")
    assert resolve(str(tmp_path / "org" / "name")).kind == "folder"
    assert resolve(str(tmp_path / "weights.gguf")).kind == "gguf"
    monkeypatch.chdir(tmp_path)
    assert resolve("org/name").path == tmp_path / "org" / "name"  # what lies here comes before the hub
    assert resolve("./org/name").kind == "folder"
    assert resolve("weights.gguf").path == tmp_path / "weights.gguf"


@pytest.mark.parametrize(
    "spec",
    [
        "no-such-name",
        "./nowhere",
        "/nowhere/at/all",
        "../../nowhere",
        "nowhere.gguf",
        "~nobody-here/x",
        "/" + "a" * 4000,
    ],
)
def test_what_leads_nowhere_is_not_found(spec: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        resolve(spec)
    assert "catalogue" in str(caught.value)


def test_nothing_tells_what_lies_at_a_path_without_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.gguf").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)
    for begin in (f"{tmp_path}/", "./", f"../{tmp_path.name}/"):
        answers = set()
        for name in ("nowhere", "folder", "folder.gguf", "file", "file/below", "loop", "x" * 300, "nowhere.gguf"):
            with pytest.raises(ModelNotFound) as caught:
                resolve(begin + name)
            answers.add(str(caught.value).replace(shown(begin + name), "it"))
        assert len(answers) == 1
    for here, nowhere in (("file", "nothing"), ("~root/x", "~nobody-here/x")):
        said = []
        for spec in (here, nowhere):
            with pytest.raises(ModelNotFound) as caught:
                resolve(spec)
            said.append(str(caught.value).replace(shown(spec), "it"))
        assert said[0] == said[1]


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "   ",
        "a\0b",
        "org/na\nme",
        "x" * 10_000,
        "https://huggingface.co/org/name",
        "file:///etc/passwd",
        "org/na me",
        "a/b/c/d",
        "org/..",
        "org/name@",
        "org/name@../../x",
        "-rf/x",
        "\ud800/x",
        "<script>alert(1)</script>",
    ],
)
def test_hostile_text_is_bad_input_in_one_short_sentence(spec: str) -> None:
    with pytest.raises(BadInput) as caught:
        resolve(spec)
    message = str(caught.value)
    assert caught.value.field == "model"
    assert message.endswith(".")
    assert len(message) < 320
    assert message.isprintable()


@given(st.text(max_size=200))
def test_any_text_resolves_or_is_refused_politely(text: str) -> None:
    try:
        assert resolve(text).id
    except (BadInput, ModelNotFound) as error:
        assert str(error).isprintable()
