"""``room``: what it prints, what it refuses, and which server it becomes. The server itself is tested in a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from playground.cli import main
from playground.errors import BadInput
from playground.room.limits import is_shared_server
from playground.room.present import present_room, room_address
from playground.server.guard import allowed_hosts
from playground.store.place import DATA_VARIABLE
from tests.ports import free_port

LESSON = """title: Two words
steps:
- link: /?prompt=Hello
  say: What comes next?
  minutes: 2
"""


@pytest.fixture(autouse=True)
def _not_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    for name in ("PLAYGROUND_ROOM", "PLAYGROUND_SHARED", "PLAYGROUND_HOSTS"):  # what the command sets is undone
        monkeypatch.setenv(name, "")


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that took the process's place."""
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _program, words: commands.append(words))
    monkeypatch.setattr(os, "dup2", lambda *_: 1)
    return commands


def start(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    main(["room", "--json", "--host", "127.0.0.1", "--port", str(free_port()), *arguments])
    links: dict[str, str] = json.loads(capsys.readouterr().out)
    return links


def test_it_prints_one_object_and_becomes_the_server(
    became: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    links = start(capsys)
    assert set(links) == {"address", "code", "join_link", "leader_link"}
    assert links["join_link"] == f"{links['address']}/room?join={links['code']}"
    (words,) = became
    port = links["address"].rsplit(":")[-1]
    assert words[:4] == [sys.executable, "-m", "streamlit", "run"] and Path(words[4]).name == "app.py"
    assert words[words.index("--server.address") + 1] == "127.0.0.1" and words[words.index("--server.port") + 1] == port

    assert is_shared_server() and room_address() == links["address"] and "127.0.0.1" in allowed_hosts(os.environ)
    room = present_room()
    assert room is not None and room.view().code == links["code"]
    assert links["leader_link"] == f"{links['address']}/lead/{room.secret}"


def test_started_again_it_goes_on_and_new_opens_another(
    became: list[list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first, second, third = start(capsys), start(capsys), start(capsys, "--new")
    assert first["code"] == second["code"] != third["code"]
    assert first["leader_link"].rsplit("/")[-1] == second["leader_link"].rsplit("/")[-1]
    assert third["leader_link"].rsplit("/")[-1] != first["leader_link"].rsplit("/")[-1]


def test_a_room_has_one_server(
    became: list[list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = start(capsys)["code"]
    script = "from playground.room.present import present_room; print(present_room().view().code, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None and server.stdout.readline().strip() == code
        assert main(["room", "--port", str(free_port()), "--new"]) == 2
        assert "Another server has the room of this store open" in capsys.readouterr().err
        with pytest.raises(BadInput, match="Another server"):
            present_room()
        server.kill()
    assert start(capsys)["code"] == code and present_room() is not None


def test_for_people_it_prints_address_code_and_links(
    became: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(free_port())
    main(["room", "--host", "localhost", "--port", port])
    said = capsys.readouterr().out
    assert f"http://localhost:{port}/lead/" in said and "Code" in said and "▀" in said
    assert os.environ["PLAYGROUND_HOSTS"] == "localhost"


def test_without_a_host_it_listens_to_the_network_under_its_own_address(
    became: list[list[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.server.network.own_address", lambda: "198.51.100.7")
    main(["room", "--json", "--port", str(free_port())])
    assert json.loads(capsys.readouterr().out)["address"].startswith("http://198.51.100.7:")
    assert became[0][became[0].index("--server.address") + 1] == "0.0.0.0"
    assert os.environ["PLAYGROUND_HOSTS"] == "198.51.100.7"


def test_a_lesson_is_checked_and_goes_into_the_room(
    became: list[list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "lesson.yaml"
    file.write_text(LESSON, encoding="utf-8")
    start(capsys, "--lesson", str(file))
    room = present_room()
    assert room is not None and room.view().lesson == LESSON
    file.write_text("title: [", encoding="utf-8")
    assert main(["room", "--port", str(free_port()), "--lesson", str(file)]) == 2
    assert len(became) == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--port", "70000"], "--port"),
        (["--port", "x"], "--port"),
        (["--host", "192.0.2.77"], "--host"),
        (["--lesson", "none.yaml"], "--lesson"),
    ],
)
def test_refusals_are_one_line_and_open_nothing(
    arguments: list[str], named: str, became: list[list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = arguments if "--port" in arguments else [*arguments, "--port", str(free_port())]
    assert main(["room", *given]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.startswith("error: ") and error.count("\n") == 1 and named in error
    assert not became and not (tmp_path / "data").exists()


def test_what_the_guide_predicts_for_gpus_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "room.md").read_text(encoding="utf-8")
    _head, _rule, *rows = text.split("<!-- predicted -->")[1].split("<!-- end -->")[0].strip().splitlines()
    assert len(rows) > 3
    for row in rows:
        config, gpu, *cells = [cell.strip() for cell in row.strip("|").split("|")]
        size = ["--batch", "30", "--prompt-tokens", "300", "--new-tokens", "48", "--json"]
        assert main(["calc", "infer", "--config", config, "--gpu", gpu, *size]) == 0
        prediction = json.loads(capsys.readouterr().out)
        each = f"{1 / prediction['decode_s_per_token']:,.0f}"
        assert cells == [f"{1e3 * prediction['prefill_s']:,.0f} ms", each, f"{prediction['needed_bytes'] / 1e9:.1f} GB"]


def test_what_the_guide_says_was_measured_is_what_the_readme_says() -> None:
    root = Path(__file__).resolve().parents[2]
    text = (root / "docs" / "room.md").read_text(encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8").split("<!-- bench -->")[1]
    measured = [line for line in readme.splitlines() if line.startswith(("| room |", "| follow |", "| together |"))]
    _head, _rule, *rows = text.split("<!-- measured -->")[1].split("<!-- end -->")[0].strip().splitlines()
    assert len(rows) > 3
    for row in rows:
        value = row.split("|")[2].strip()
        assert any(value in line for line in measured), f"{value!r} is not in the README's table"
