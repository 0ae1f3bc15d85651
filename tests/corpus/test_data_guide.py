"""The tables of docs/data.md are what the commands print today."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from playground.charts.language_pictures import premium_text
from playground.cli import main
from playground.corpus.counting import CountStore, language_counts
from playground.corpus.parallel import Parallel, declaration
from playground.corpus.tokenizers import CATALOGUE, packaged

GUIDE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


def table_below(heading: str) -> list[list[str]]:
    """The cells of the first table behind these words, without its rule."""
    lines = GUIDE[GUIDE.index(heading) :].splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return [rows[0], *rows[2:]]


def numbers(cells: Sequence[str]) -> list[float]:
    """All that stand in them, in order."""
    return [float(number) for cell in cells for number in re.findall(r"\d+(?:\.\d+)?", cell)]


def test_premiums() -> None:
    (_, *columns), *rows = table_below("`python -m playground languages`")
    assert columns[2:] == list(CATALOGUE)
    whole, names = declaration(), {each.name: code for code, each in declaration().languages.items()}
    guide_rows = {names[row[0]]: row[1:] for row in rows}
    text = Parallel({code: whole.languages[code] for code in ("eng", *guide_rows)}, "eng", "a part")
    store = CountStore()
    counts = language_counts(text, {name: store.count(text, packaged(name)) for name in CATALOGUE})
    for each in counts[1:]:
        premiums = [premium_text(each.premium(name)) for name in CATALOGUE]
        assert guide_rows[each.text.code] == [f"{each.character_ratio:.2f}", f"{each.byte_ratio:.2f}", *premiums]


def test_the_sample_under_the_usual_filters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["filter"]) == 0
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    block = re.search(r"as `python -m playground filter` prints it:\n\n```\n(.*?)```", GUIDE, re.DOTALL)
    assert block is not None
    guide_lines = [line.split() for line in block[1].splitlines()]
    assert guide_lines == printed[-len(guide_lines) :]


def test_each_tokenizer_stands_with_its_package_and_licence() -> None:
    _, *rows = table_below("**Tokenizers.**")
    packages = {name.strip(): (package, licence) for names, _, package, licence in rows for name in names.split(",")}
    assert packages.keys() == CATALOGUE.keys()
    for name, entry in CATALOGUE.items():
        package, licence = packages[name]
        assert package == entry.package and licence.split()[0] == entry.licence.split(";")[0].split()[0]


@pytest.mark.model
def test_domains(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["domains"]) == 0
    printed = [re.split(r"\s{2,}", line.strip())[:5] for line in capsys.readouterr().out.splitlines()[-12:]]
    table = table_below("`python -m playground domains`")[1:]
    assert [row[0] for row in table] == [row[0] for row in printed]
    for said, output in zip(table, printed, strict=True):  # another processor rounds the last digit the other way
        assert numbers(said[1:]) == pytest.approx(numbers(output[1:]), abs=0.0101), output


@pytest.mark.model
def test_perplexities_of_the_sample(capsys: pytest.CaptureFixture[str]) -> None:
    passage = GUIDE[GUIDE.index("On the sample\nit finds") : GUIDE.index("Perplexities of\n`filter")]
    assert main(["filter", "--rules", "perplexity", "--json"]) == 0
    measured = {each["id"]: each["values"]["perplexity"] for each in json.loads(capsys.readouterr().out)["documents"]}
    names = {"mattress": "seo-mattress", "tea": "miracle-tea", "hoax": "moon-hoax", "tides": "tides"}
    names |= {"poem": "harbour-poem", "proof": "primes"}
    for word, document in names.items():
        (said,) = re.findall(rf"{word} \(?(\d+)", passage)
        assert measured[document] == pytest.approx(int(said), rel=0.01, abs=0.6), word
    low, high = map(int, re.findall(r"\((\d+) to (\d+)\)", passage)[0])
    assert low < high
