"""Unpacking happens once, whole or not at all, whatever is found, killed or full."""

from __future__ import annotations

import errno
import multiprocessing
import os
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from playground.errors import ModelError
from playground.models import build_once
from playground.models.build_once import MANIFEST, ensure_built, is_intact
from playground.models.wording import Progress, silent


class Builder:
    """Writes two small files and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, folder: Path, progress: Progress) -> None:
        self.calls += 1
        assert list(folder.iterdir()) == []
        (folder / "model.safetensors").write_bytes(bytes(range(256)) * 40)
        (folder / "config.json").write_text("{}")


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, Builder]:
    build = Builder()
    return ensure_built(tmp_path / "cache" / "model-v1", build, 1), build


def only_the_result(target: Path) -> bool:
    """Nothing lies beside the result but its lock."""
    return {path.name for path in target.parent.iterdir()} <= {target.name, target.name + ".lock"}


def test_built_once_and_then_used(built: tuple[Path, Builder]) -> None:
    target, build = built
    assert ensure_built(target, build, 1) == target
    assert build.calls == 1
    assert only_the_result(target)


@pytest.mark.parametrize("position", [0, 5000, 10239])
def test_one_flipped_bit_of_the_weights_is_found_and_repaired(built: tuple[Path, Builder], position: int) -> None:
    target, build = built
    weights = target / "model.safetensors"
    good = weights.read_bytes()
    bad = bytearray(good)
    bad[position] ^= 1
    facts = weights.stat()
    weights.write_bytes(bytes(bad))
    os.utime(weights, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # the disk does not say that it rotted
    assert not is_intact(target)
    ensure_built(target, build, 1)
    assert build.calls == 2
    assert weights.read_bytes() == good


@pytest.mark.parametrize("damage", ["no manifest", "empty manifest", "not a dict", "file gone", "cut off", "stranger"])
def test_any_other_damage_is_repaired(built: tuple[Path, Builder], damage: str) -> None:
    target, build = built
    weights = target / "model.safetensors"
    match damage:
        case "no manifest":
            (target / MANIFEST).unlink()
        case "empty manifest":
            (target / MANIFEST).write_bytes(b"")
        case "not a dict":
            (target / MANIFEST).write_text('{"files": 3}')
        case "file gone":
            weights.unlink()
        case "cut off":
            weights.write_bytes(weights.read_bytes()[:-1])
        case "stranger":
            (target / "model-2.safetensors").write_bytes(b"x")
    ensure_built(target, build, 1)
    assert build.calls == 2
    assert is_intact(target)


def test_what_a_killed_build_left_is_swept_away(tmp_path: Path) -> None:
    target = tmp_path / "model-v1"
    leftover = tmp_path / "model-v1.part-abc"
    leftover.mkdir()
    (leftover / "model.safetensors").write_bytes(b"half")
    ensure_built(target, Builder(), 1)
    assert is_intact(target)
    assert only_the_result(target)


def test_an_exception_leaves_no_trace_and_the_next_start_succeeds(tmp_path: Path) -> None:
    target = tmp_path / "model-v1"

    def interrupted(folder: Path, progress: Progress) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_built(target, interrupted, 1)
    assert not target.exists()
    assert only_the_result(target)
    ensure_built(target, Builder(), 1)
    assert is_intact(target)


def test_too_little_space_is_said_before_building(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_once, "free_bytes", lambda folder: 559_999_999)
    build = Builder()
    with pytest.raises(ModelError, match=r"needs 560 MB \(534 MiB\) .*PLAYGROUND_CACHE"):
        ensure_built(tmp_path / "model-v1", build, 560_000_000)
    assert build.calls == 0


def test_a_disk_that_fills_up_while_building(tmp_path: Path) -> None:
    target = tmp_path / "model-v1"

    def full(folder: Path, progress: Progress) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ModelError, match="560 MB"):
        ensure_built(target, full, 560_000_000 if build_once.free_bytes(tmp_path) > 560_000_000 else 1)
    assert only_the_result(target)
    assert not target.exists()


def test_a_cache_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file where a folder should be")
    with pytest.raises(ModelError, match=r"cannot be written .*PLAYGROUND_CACHE"):
        ensure_built(tmp_path / "occupied" / "model-v1", Builder(), 1)


def test_a_cache_that_refuses_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("playground.models.build_once.tempfile.mkdtemp", refuse)
    with pytest.raises(ModelError, match=r"cannot be written \(Permission denied; .* needed"):
        ensure_built(tmp_path / "model-v1", Builder(), 1)


def test_a_finished_result_needs_no_lock_and_no_writing(
    built: tuple[Path, Builder], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, build = built

    def refuse(*args: object) -> None:
        raise AssertionError("locked")

    monkeypatch.setattr(build_once, "_locked", refuse)
    assert ensure_built(target, build, 1) == target


def _build_in_process(target: Path, together: Barrier, log: Path) -> None:
    def build(folder: Path, progress: Progress) -> None:
        with log.open("a") as file:
            file.write("built\n")
        for part in range(50):  # long enough that both processes are inside
            (folder / f"part-{part}").write_bytes(os.urandom(100_000))

    together.wait(timeout=60)
    ensure_built(target, build, 1, silent)
    assert is_intact(target)


def test_two_processes_at_once_build_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    together, log = context.Barrier(2), tmp_path / "log"
    target = tmp_path / "cache" / "model-v1"
    processes = [context.Process(target=_build_in_process, args=(target, together, log)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert log.read_text() == "built\n"
    assert only_the_result(target)
