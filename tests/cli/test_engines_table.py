"""The table of ``docs/engines.md`` is what the command finds out of each kind of server."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Capture, answer
from tests.engine.contract_engines import standin
from tests.engine.remote.chat_standin import Chats
from tests.engine.remote.llama_server import llama_server
from tests.engine.remote.sglang_standin import Sglang
from tests.engine.remote.standin import running
from tests.engine.small import byte_level_tokenizer

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "engines.md"
STANDINS = {
    "vLLM": standin("vllm"),
    "vLLM with `--max-logprobs -1`": standin("vllm", most=10**6),
    "SGLang": standin("sglang", Sglang),
    "others": standin("somebody"),
    "chats only": standin("somebody", Chats),
}


def table(probes: dict[str, dict[str, Any]]) -> str:
    """Markdown: a column a server, a row a facet."""
    words = {True: "yes", False: "no"}
    rows = [["", *probes], ["---"] * (len(probes) + 1)]
    for facet in next(iter(probes.values()))["facets"]:
        offered = [one["facets"][facet] for one in probes.values()]
        shown = [words[value] if isinstance(value, bool) else str(value) for value in offered]
        whole = [
            "whole rows" if facet == "NextTokens" and value is True else text
            for value, text in zip(offered, shown, strict=True)
        ]
        rows.append([f"`{facet}`", *whole])
    rows.append(["constraints", *(", ".join(one["constraints"]) or "no" for one in probes.values())])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


@pytest.mark.model
def test_the_table_is_what_the_command_prints(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    byte_level_tokenizer().save_pretrained(tmp_path)
    monkeypatch.setenv("PLAYGROUND_TOKENIZER", str(tmp_path))
    with contextlib.ExitStack() as servers:
        places = {"llama.cpp": servers.enter_context(llama_server())}
        places |= {name: servers.enter_context(running(one.routes())).base for name, one in STANDINS.items()}
        probes = {name: answer(capsys, "engines", "--probe", place) for name, place in places.items()}
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.split("<!-- measured -->")[1].split("<!-- end -->")[0].strip() == table(probes)
