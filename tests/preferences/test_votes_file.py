"""Files of votes as strangers write them: what is read, and what is refused with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.preferences import votes_file
from playground.preferences.votes import Vote
from playground.preferences.votes_file import read_votes

GOOD = "left,right,winner,voter,group\nA,B,A,x,g\nA,B,B,,\nB,A,tie,y,\nB,A,Both bad,y,h\n"
VOTES = (
    Vote("A", "B", "left", "x", "g"),
    Vote("A", "B", "right"),
    Vote("B", "A", "tie", "y"),
    Vote("B", "A", "both_bad", "y", "h"),
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators(encoding: str, separator: str) -> None:
    text = GOOD.replace(",", separator).replace("A", "Ä").replace("\n", "\r\n")
    votes, notes = read_votes(text.encode(encoding))
    assert votes == tuple(Vote(*(getattr(v, f).replace("A", "Ä") for f in v.__dataclass_fields__)) for v in VOTES)
    assert bool(notes) == (encoding == "cp1252")  # a guess is said


def test_names_are_whatever_people_write() -> None:
    left, right = "<img src=x onerror=alert(1)>", 'a "quoted", name\nof two lines'
    text = f'LEFT , right,winner,comment\n{left},"{right.replace(chr(34), chr(34) * 2)}", {left} ,hello\n\n,,,\n'
    votes, notes = read_votes(text.encode())
    assert votes == (Vote(left, right, "left"),)
    assert notes == ("Left out: comment.",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("left,right,winner\n", "a heading and no vote"),
        ("left,right\nA,B\n", "no column winner"),
        ("left,right,winner,Left\nA,B,A,A\n", "two columns left"),
        ("left,right,winner\nA,B,A\nA,B,C\n", "line 3: the winner 'C' is neither 'A' nor 'B'"),
        ("left,right,winner\nA,B,\n", "line 2 has no winner"),
        ("left,right,winner\nA,B\n", "line 2 has no winner"),
        ("left,right,winner\nA,A,A\n", "line 2 compares 'A' with itself"),
        ("left,right,winner\nA,,A\n", "line 2 has no right"),
        ("left,right,winner\nTie,B,B\n", "line 2: left is called 'Tie'"),
        ("left,right,winner\n" + "A" * 201 + ",B,B\n", "more than 200 characters"),
        ('left,right,winner\n"A,B,B\n', "line 2 has no right"),
        ("left,right,winner\nA,B,A,B\n", "more cells than the heading"),
        ("PK\3\4", "it is compressed"),
        ('{"left": "A", "right": "B", "winner": ["A"]}', "the winner"),
        ("left,right,winner\n" + "A" * 200_000 + ",B,B\n", "field larger than field limit"),
        ("left,right,winner\nA\0,B,B\n", "zero bytes"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(BadInput, match="file of votes cannot be used") as refused:
        read_votes(text.encode())
    assert said in str(refused.value) and refused.value.field == "file"


def test_json_lines_are_read_too() -> None:
    votes, _notes = read_votes(b'{"left": "A", "right": "B", "winner": "A", "voter": 7}\n')
    assert votes == (Vote("A", "B", "left", "7"),)


def test_too_many_votes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(votes_file, "MOST_VOTES", 2)
    assert len(read_votes(b"left,right,winner\nA,B,A\nA,B,A\n")[0]) == 2
    with pytest.raises(BadInput, match="more than 2 votes"):
        read_votes(b"left,right,winner\nA,B,A\nA,B,A\nA,B,A\n")


@given(st.binary(max_size=300) | st.text(alphabet='left,righwn\n"AB;\t', max_size=300).map(str.encode))
def test_any_bytes_are_votes_or_a_sentence(data: bytes) -> None:
    try:
        votes, _notes = read_votes(b"left,right,winner\n" + data)
    except BadInput as refused:
        assert str(refused).endswith(".") and len(str(refused)) < 400
    else:
        assert all(isinstance(vote, Vote) for vote in votes)
