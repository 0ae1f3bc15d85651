"""What is common to the uploads of Languages and Domains: nothing personal stays, what is no text is said."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable

import pytest

from playground.corpus.domains import read_domains
from playground.corpus.parallel import read_parallel
from playground.corpus.upload_lines import Masking, upload_text
from playground.errors import BadInput
from playground.state.domains import DomainsState
from playground.state.languages import LanguagesState
from playground.state.link_fields import link_of

MAIL, CARD, PHONE = "jane.doe@example.org", "4111 1111 1111 1111", "+49 89 1234 5678"


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.jsonl", data)
    return file.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, zipped])
def test_a_packed_file_is_not_unpacked_whatever_it_would_become(pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b"a" * 5_000_000)
    with pytest.raises(BadInput, match="packed: unpack it"):
        read_domains(bomb)
    with pytest.raises(BadInput, match="packed: unpack it"):
        read_parallel(bomb)


def test_encodings_and_their_marks() -> None:
    line = '{"domain": "a", "text": "café"}'
    for data in (line.encode(), line.encode("utf-8-sig"), line.encode("utf-16")):
        assert read_domains(data).texts[0].text == "café" and read_domains(data).notes == ()
    guessed = read_domains(line.encode("cp1252"))
    assert guessed.texts[0].text == "café" and "Windows-1252, which is a guess" in guessed.notes[0]
    with pytest.raises(BadInput, match="NUL"):
        upload_text(line.encode("utf-16-le"), 1_000)
    with pytest.raises(BadInput, match="at most 10 are read"):
        upload_text(b"x" * 11, 10)


def test_personal_data_is_told_and_nowhere_kept() -> None:
    said = f"Write to {MAIL}, call {PHONE}, pay with {CARD}."
    domains = read_domains(json.dumps({"domain": MAIL, "text": said}).encode())
    rows = [{"language": code, "key": MAIL, "text": said} for code in ("eng", MAIL)]
    parallel = read_parallel("\n".join(map(json.dumps, rows)).encode())
    for upload in (domains, parallel):
        everything = repr(upload)
        assert not any(each in everything for each in (MAIL, CARD, PHONE, "jane", "1111"))
    assert domains.notes == (
        "Personal data was found and masked before anything was kept: 1 card number, 2 mail addresses, 1 telephone number.",
    )
    assert "2 card numbers, 5 mail addresses, 2 telephone numbers" in parallel.notes[0]
    assert Masking().notes == ()


def test_no_link_has_what_is_personal_or_of_this_session_alone() -> None:
    assert link_of(LanguagesState(sentence="Just a sentence."))["text"] == "Just a sentence."
    for personal in (MAIL, CARD, PHONE):
        assert link_of(LanguagesState(sentence=f"Take {personal} then.")) == {}
    assert link_of(DomainsState(domain="sql")) == {"domain": "sql"} and link_of(DomainsState(domain="my own")) == {}
    assert link_of(LanguagesState(tokenizer="rwkv", beside="my/own")) == {"tokenizer": "rwkv"}
