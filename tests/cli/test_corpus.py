"""``tokens``, ``languages`` and ``domains``: their fields, their own files, and refusals in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.cli import main
from playground.corpus.parallel import declaration
from playground.corpus.tokenizers import CATALOGUE
from tests.cli.running import Capture, answer, refusal


def written(folder: Path, *rows: dict[str, object]) -> str:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_tokens_of_a_text_under_each_that_is_here(capsys: Capture, tmp_path: Path) -> None:
    counts = answer(capsys, "tokens", "--text", "Hello က")
    assert (counts["bytes"], counts["characters"]) == (9, 7)
    assert [each["name"] for each in counts["tokenizers"]] == list(CATALOGUE)
    for each in counts["tokenizers"]:
        assert each["tokens"] == len(each["ids"]) == len(each["pieces"]) == len(each["kinds"]) > 0
        assert all(0 <= token < each["vocab_size"] for token in each["ids"]) and each["licence"]
    (own,) = (each for each in counts["tokenizers"] if each["name"] == "smollm2")
    assert own["pieces"] == ["Hello", "␣<0xE1>", "<0x80>", "<0x80>"] and own["kinds"][1:] == ["bytes"] * 3
    path = tmp_path / "text.txt"
    path.write_text("Hello က", encoding="utf-8")
    (one,) = answer(capsys, "tokens", "--text-file", str(path), "--tokenizer", "smollm2")["tokenizers"]
    assert one == own


def test_pieces_from_right_to_left_are_the_text_and_nothing_unseen(capsys: Capture) -> None:
    text = "سلام שלום"
    (tokenizer,) = answer(capsys, "tokens", "--text", text, "--tokenizer", "gemma3")["tokenizers"]
    assert "".join(tokenizer["pieces"]) == "سلام␣שלום"
    assert main(["tokens", "--text", text, "--tokenizer", "gemma3"]) == 0
    assert "U+2068" not in capsys.readouterr().out


def test_languages_against_english_and_against_another(capsys: Capture) -> None:
    premiums = answer(capsys, "languages", "--tokenizer", "llama3", "--tokenizer", "smollm2")
    rows = {each["language"]: each for each in premiums["languages"]}
    assert rows.keys() == declaration().languages.keys() and premiums["baseline"] == "eng"
    assert rows["mya"]["bytes"] == len(declaration().languages["mya"].whole.encode())
    assert rows["eng"]["tokens"] == {"llama3": 1525, "smollm2": 1565} and set(rows["eng"]["premium"].values()) == {1.0}
    assert rows["mya"]["premium"] == pytest.approx({"llama3": 15.70, "smollm2": 21.82}, abs=0.005)
    german = answer(capsys, "languages", "--tokenizer", "llama3", "--baseline", "deu_1996")
    (english,) = (each for each in german["languages"] if each["language"] == "eng")
    assert english["premium"]["llama3"] == pytest.approx(1 / rows["deu_1996"]["premium"]["llama3"])


def test_languages_of_a_file_say_what_is_odd(capsys: Capture, tmp_path: Path) -> None:
    rows = [
        {"language": code, "key": 1, "text": text} for code, text in (("eng", "at jane.doe@example.org"), ("x", "ab"))
    ]
    premiums = answer(capsys, "languages", "--tokenizer", "rwkv", "--text-file", written(tmp_path, *rows))
    assert [each["language"] for each in premiums["languages"]] == ["eng", "x"]
    assert any("1 mail address" in note for note in premiums["notes"]) and "jane" not in json.dumps(premiums)
    assert main(["languages", "--tokenizer", "rwkv", "--text-file", str(tmp_path / "rows.jsonl")]) == 0
    assert "1 mail address" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tokens",), "--text"),
        (("tokens", "--text", "a", "--tokenizer", "none"), "no tokenizer called 'none'"),
        (("tokens", "--text", "a", "--tokenizer", "."), "no tokenizer.json at '.'"),
        (("tokens", "--text", "a", "--tokenizer", ""), "no tokenizer called ''"),
        (("tokens", "--text-file", "docs/img/domains.png"), "save it as UTF-8"),
        (("tokens", "--text-file", "nowhere.txt"), "nowhere.txt"),
        (("languages", "--baseline", "xx"), "none of the text's languages"),
        (("languages", "--text-file", "README.md"), "Line 1"),
        (("languages", "--text-file", "."), "--text-file"),
        (("domains", "--text-file", "README.md"), "Line 1"),
        (("domains", "--text-file", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)
def test_refused_in_one_line(capsys: Capture, arguments: tuple[str, ...], said: str) -> None:
    assert said in refusal(capsys, *arguments)


@pytest.mark.model
def test_domains_of_a_file_under_the_bundled_model(capsys: Capture, tmp_path: Path) -> None:
    text = "The road went over the hill and down to the sea."
    path = written(tmp_path, {"domain": "road", "text": text}, {"domain": "one", "text": "a"})
    report = answer(capsys, "domains", "--text-file", path)
    road, one = report["domains"]
    scored = answer(capsys, "score", "--text", text)
    assert road["bytes"] == len(text.encode()) and road["tokens"] == len(scored["tokens"])
    rated = len(text.encode()) - len(scored["tokens"][0]["text"].encode())
    assert road["bits_per_byte"] == pytest.approx(-scored["total_logprob"] / 0.6931471805599453 / rated, rel=1e-5)
    assert road["low"] <= road["bits_per_byte"] <= road["high"]
    assert one["bits_per_byte"] is None  # a text's first token has no prediction
