"""What a room answered, as pictures, tables and files: valid, described, escaped, and nothing said that was not there."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from playground.charts.room_guess import guess_bars, guess_description, guess_figure, rounds_table, scores_table
from playground.charts.room_html import room_page
from playground.charts.room_sheet import join_sheet
from playground.charts.room_spread import spread_description, spread_figure
from playground.charts.room_strengths import (
    agreement_sentence,
    strengths_data,
    strengths_description,
    strengths_figure,
)
from playground.engine.fake.codec import FakeCodec
from playground.engine.types import NextLogits
from playground.room.questions.files import COLUMNS, answers_csv, votes_csv
from playground.room.questions.guess import score_guesses
from playground.room.questions.standing import standing_of
from playground.room.questions.temperature import spread
from playground.room.questions.types import (
    Answer,
    Better,
    Guess,
    Guessed,
    Moved,
    Question,
    Round,
    Temperature,
    TemperatureResult,
    Voted,
    Winner,
    WrittenText,
)

HOSTILE = "<script src='http://a.b/c'>=1+1"
CODEC = FakeCodec()


def guess_round(*guesses: str, real: str = "London", number: int = 1, prompt: str = HOSTILE) -> Round:
    about = Guess(prompt, real)
    answers = tuple(Answer(f"secret-{place}", Guessed(text), 1e9 + place) for place, text in enumerate(guesses))
    logits = np.zeros(273, dtype=np.float32)
    logits[CODEC.encode(" Paris")[0]] = 8
    row = NextLogits(CODEC.encode(prompt), logits, 1, 0.0)
    result = score_guesses(CODEC, row, about, answers, model="Fake")
    return Round(Question(f"q{number}", "ABCD", "s1", number, 1e9, "revealed", about, result), answers)


def vote_round(*votes: Winner, pair: tuple[int, int] = (0, 1), number: int = 1) -> Round:
    about = Better(HOSTILE, ("=one", HOSTILE, "three"), pair)
    answers = tuple(
        Answer(f"secret-{place}", Voted(vote, "first" if place % 2 else "second"), 1e9)
        for place, vote in enumerate(votes)
    )
    return Round(Question(f"v{number}", "ABCD", "s2", number, 1e9, "revealed", about), answers)


def heat_round(*settings: float) -> Round:
    answers = tuple(Answer(f"secret-{place}", Moved(value), 1e9) for place, value in enumerate(settings))
    result = TemperatureResult("Fake", 1, (WrittenText("median", 0.7, HOSTILE),))
    return Round(Question("t", "ABCD", "s3", 1, 1e9, "revealed", Temperature(HOSTILE, "Write."), result), answers)


def guess_picture() -> tuple[go.Figure, str]:
    data = guess_bars(guess_round(" Paris", " Paris", HOSTILE, "\u05e9", " London"))
    assert data is not None
    return guess_figure(data), guess_description(data)


def strengths_picture() -> tuple[go.Figure, str]:
    standing = standing_of([vote_round("first", "second", "tie", "bad"), vote_round("first", pair=(1, 2), number=2)])
    assert standing is not None
    data = strengths_data(standing.strengths)
    return strengths_figure(data), strengths_description(data)


def spread_picture() -> tuple[go.Figure, str]:
    answer_spread = spread(heat_round(0.2, 0.7, 0.7, 2.0).answers)
    assert answer_spread is not None
    return spread_figure(answer_spread), spread_description(answer_spread)


@pytest.mark.parametrize("picture", [guess_picture, strengths_picture, spread_picture])
def test_the_figure_is_valid_described_and_no_markup(picture: Callable[[], tuple[go.Figure, str]]) -> None:
    figure, said = picture()
    go.Figure(figure.to_dict(), skip_invalid=False)
    text = pio.to_json(figure, validate=True)
    assert "NaN" not in text and "Infinity" not in text and said.endswith(".")
    plain = json.dumps(figure.to_dict(), default=lambda array: array.tolist()).replace("<b>", "").replace("</b>", "")
    assert "<" not in plain


def test_the_rooms_bars_stand_beside_the_models() -> None:
    data = guess_bars(guess_round(" Paris", " Paris", " Paris", " London"))
    assert data is not None
    assert (data.labels[0], data.counts[0], float(data.room[0])) == ("␣Paris", 3, 0.75)
    weights = np.exp(8) / (np.exp(8) + 272)
    assert float(data.model[0]) == pytest.approx(weights, rel=1e-5)
    assert data.labels[data.real] == "␣London" and data.counts.sum() == 4
    assert guess_bars(Round(Question("q", "A", "s", 1, 0.0, "open", Guess("a")), ())) is None


def test_the_table_has_a_row_a_round_and_one_for_all() -> None:
    rounds = [guess_round(" Paris", " London"), guess_round(" Paris", real="", number=2)]
    table = rounds_table(rounds)
    assert [row["round"] for row in table.rows] == ["1", "2", "all"]
    assert [row["right"] for row in table.rows] == ["50%", "", "50%"]
    assert [row["model_right"] for row in table.rows] == ["no", "", "0%"]
    assert [row["likeliest"] for row in table.rows] == ["50%", "100%", "67%"]
    assert [(row["token"], row["count"], row["rank"]) for row in scores_table(rounds[0]).rows][0] == (
        "␣Paris",
        "1",
        "1",
    )
    assert rounds_table(rounds[:1]).rows[-1]["round"] == "1"
    assert sum(column.width for column in table.columns[:6]) <= 590


def test_agreement_is_said_with_its_numbers() -> None:
    all_agree = standing_of([vote_round("first", "first", "first"), vote_round("second", "second", "second", number=2)])
    assert all_agree is not None and "same in 100% of cases" in agreement_sentence(all_agree)
    alone = standing_of([vote_round("tie")])
    assert alone is not None and agreement_sentence(alone).startswith("Too few votes")
    assert standing_of([vote_round()]) is None


ALL = (
    guess_round(" Paris", HOSTILE, "-2"),
    vote_round("first", "second", "tie", "bad"),
    heat_round(0.2, 1.0),
)


def test_the_csv_has_every_answer_and_nothing_that_a_spreadsheet_runs() -> None:
    rows = list(csv.DictReader(io.StringIO(answers_csv(ALL))))
    assert len(rows) == 9 and tuple(rows[0]) == COLUMNS
    assert [row["voter"] for row in rows] == ["1", "2", "3", "1", "2", "3", "4", "1", "2"]
    assert rows[2]["guess"] == "'-2" and float(rows[0]["logprob"]) < 0 and rows[0]["rank"] == "1"
    assert [row["winner"] for row in rows[3:7]] == ["Answer 1", "Answer 2", "tie", "bad"]
    assert [row["temperature"] for row in rows[-2:]] == ["0.2", "1"]
    numbers = {"series", "round", "voter", "logprob", "token_id", "rank", "temperature"}
    assert not [
        cell for row in rows for name, cell in row.items() if name not in numbers and cell[:1] in "=+-@" and cell
    ]


def test_votes_are_written_as_the_command_reads_them() -> None:
    rows = list(csv.DictReader(io.StringIO(votes_csv(ALL))))
    assert [(row["left"], row["right"], row["winner"]) for row in rows] == [
        ("Answer 2", "Answer 1", "Answer 1"),
        ("Answer 1", "Answer 2", "Answer 2"),
        ("Answer 2", "Answer 1", "tie"),
        ("Answer 1", "Answer 2", "both_bad"),
    ]
    assert {(row["group"], row["prompt"]) for row in rows} == {("s2", HOSTILE)}
    assert rows[0]["right_text"] == "'=one"


class Read(HTMLParser):
    """Tags, attributes and text, as a browser takes them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.text = set[str](), set[str](), ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_opens_offline_and_shows_hostile_text_as_text() -> None:
    page = room_page(ALL)
    read = Read(page)
    assert not read.tags & {"script", "img", "link", "iframe", "a", "form", "object", "embed", "base", "svg"}
    assert read.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class", "style"}
    assert "default-src 'none'" in page and not re.search(r"url\(|@import", page)
    shown = read.text
    assert HOSTILE in shown and "29% of the time" in shown and "9 answers" not in shown
    assert all(said in shown for said in ("3 answers", "4 answers", "2 answers", "both bad", "0.20"))
    assert room_page([]).count("Nothing was asked") == 1


def test_no_visitor_and_no_nickname_leaves_unasked() -> None:
    names = {"secret-0": "=<b>Anna", "secret-1": "Bert"}
    for text in (answers_csv(ALL), votes_csv(ALL), room_page(ALL)):
        assert "secret" not in text and "Anna" not in text and "Bert" not in text
    for text in (answers_csv(ALL, names), votes_csv(ALL, names), room_page(ALL, names)):
        assert "secret" not in text and "Bert" in text and "<b>Anna" not in text.replace("'=<b>Anna", "")


def test_the_sheet_to_print_has_all_that_joining_takes_and_asks_for_nothing() -> None:
    sheet = join_sheet("http://room.example:8501/<b>", "CDF 347", "data:image/svg+xml,%3Csvg/%3E")
    assert "http://room.example:8501/&lt;b&gt;" in sheet and "CDF 347" in sheet and 'src="data:image/svg+xml' in sheet
    assert "default-src 'none'" in sheet and not re.search("<script|<link|src=.http", sheet)
