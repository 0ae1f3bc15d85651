"""What a room answered as one HTML file that opens offline: no script, no request, every text escaped.

It carries a policy that forbids the browser to load or run anything, whatever was typed. Visitors are numbers; nicknames
stand in it only where whoever calls hands them in.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from playground.charts.numbers import logprob, percent
from playground.charts.palette import RAW, ROOM
from playground.charts.room_guess import GuessBarsData, guess_bars, rounds_table
from playground.charts.room_spread import spread_description
from playground.charts.room_strengths import agreement_sentence, strengths_data, strengths_description
from playground.charts.table import TableData
from playground.engine.text.display import glyphs
from playground.room.questions.better import answer_name
from playground.room.questions.files import Names, counted, prompt_of, time_text, voter_numbers
from playground.room.questions.guess import GPT3_RIGHT, PEOPLE_RIGHT, SOURCE, scores_of
from playground.room.questions.standing import Standing, standing_of
from playground.room.questions.temperature import spread
from playground.room.questions.types import KINDS, Better, Guessed, Moved, Round, TemperatureResult, Voted

_STYLE = f"""
:root {{ color-scheme: light dark; }} body {{ font: 16px/1.5 system-ui; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }}
.wide {{ overflow-x: auto; }} table {{ border-collapse: collapse; font-size: 0.9rem; }}
th, td {{ text-align: left; padding: 0.15rem 0.8rem 0.15rem 0; vertical-align: top; unicode-bidi: isolate; }}
blockquote {{ margin: 0.5rem 0; padding-left: 1rem; border-left: 3px solid {RAW}; white-space: pre-wrap; }}
blockquote {{ overflow-wrap: anywhere; }}
.bar {{ display: inline-block; height: 0.8rem; }} .room {{ background: {ROOM}; }} .model {{ background: {RAW}; }}
"""
_HEAD = (
    "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
    "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    "<meta name=viewport content='width=device-width'>"
)


def room_page(rounds: Sequence[Round], names: Names | None = None) -> str:
    """The whole page: each series with its figures, and under it every answer."""
    series: dict[str, list[Round]] = {}
    for one in rounds:
        series.setdefault(one.question.series, []).append(one)
    numbers = voter_numbers(rounds)
    voters = {visitor: (names or {}).get(visitor) or f"voter {number}" for visitor, number in numbers.items()}
    parts = [_series(group, voters) for group in series.values()]
    head = f"<title>What the room answered</title><style>{_STYLE}</style></head><body><h1>What the room answered</h1>"
    return "\n".join([_HEAD, head, *(parts or ["<p>Nothing was asked.</p>"]), "</body></html>\n"])


def _series(rounds: Sequence[Round], voters: Names) -> str:
    first = rounds[0].question
    heading = (
        f"<h2>{escape(KINDS[first.kind])}</h2><p>{escape(time_text(first.asked))}, {counted(len(rounds), 'round')}.</p>"
    )
    if first.kind == "guess":
        return heading + _guesses(rounds) + _answers(rounds, voters)
    if first.kind == "better":
        return heading + _better(rounds) + _answers(rounds, voters)
    return heading + "".join(map(_temperature, rounds)) + _answers(rounds, voters)


# -- the kinds -------------------------------------------------------------------------------------------------------------


def _guesses(rounds: Sequence[Round]) -> str:
    note = (
        f"<p>Published mark: people name the real next token {PEOPLE_RIGHT:.0%} of the time, GPT-3 {GPT3_RIGHT:.0%} ({SOURCE}). "
        "Perplexity of the room: exp of the mean negative log-probability of its guesses under the model; of the model: exp "
        "of its entropy.</p>"
    )
    bars = "".join(f"<h3>Round {one.question.round}</h3>{_quote(one)}{_bars(guess_bars(one))}" for one in rounds)
    return _table(rounds_table(rounds)) + note + bars


def _bars(data: GuessBarsData | None) -> str:
    if data is None:
        return "<p>It was not revealed.</p>"
    rows = "".join(
        f"<tr><td>{escape(label)}{' ✓' if place == data.real else ''}</td>"
        f"<td>{data.counts[place]} {_bar('room', data.room[place])}</td>"
        f"<td>{percent(float(data.model[place]))} {_bar('model', data.model[place])}</td></tr>"
        for place, label in enumerate(data.labels)
    )
    return f"<table><tr><th>token</th><th>the room</th><th>the model</th></tr>{rows}</table>"


def _bar(kind: str, share: float) -> str:
    return f'<span class="bar {kind}" style="width:{float(share) * 12:.2f}rem"></span>'


def _better(rounds: Sequence[Round]) -> str:
    about = rounds[0].question.about
    assert isinstance(about, Better)
    texts = "".join(
        f"<h3>{escape(answer_name(place))}</h3><blockquote>{escape(text)}</blockquote>"
        for place, text in enumerate(about.answers)
    )
    return _quote(rounds[0]) + texts + _standing(standing_of(rounds))


def _standing(standing: Standing | None) -> str:
    if standing is None:
        return "<p>Nobody voted.</p>"
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{one.strength:+.2f}</td><td>{one.low:+.2f} to {one.high:+.2f}</td>"
        f"<td>{one.wins}</td><td>{one.losses}</td><td>{one.ties}</td></tr>"
        for one in standing.strengths.items
    )
    head = "".join(f"<th>{name}</th>" for name in ("answer", "log strength", "interval", "wins", "losses", "ties"))
    said = (
        strengths_description(strengths_data(standing.strengths)),
        agreement_sentence(standing),
        *standing.strengths.notes,
    )
    return f"<table><tr>{head}</tr>{rows}</table>{''.join(f'<p>{escape(note)}</p>' for note in said)}"


def _temperature(one: Round) -> str:
    answer_spread, result = spread(one.answers), one.question.result
    said = f"<p>{escape(spread_description(answer_spread))}</p>" if answer_spread else "<p>Nobody answered.</p>"
    texts = result.texts if isinstance(result, TemperatureResult) else ()
    return (
        _quote(one)
        + said
        + "".join(
            f"<h3>{escape(text.name)}: {text.temperature:.2f}</h3><blockquote>{escape(text.text)}</blockquote>"
            for text in texts
        )
    )


# -- all kinds -------------------------------------------------------------------------------------------------------------


def _quote(one: Round) -> str:
    return f"<blockquote>{escape(prompt_of(one.question))}</blockquote>"


def _table(data: TableData) -> str:
    head = "".join(f"<th>{escape(column.label)}</th>" for column in data.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(str(row[column.name]))}</td>' for column in data.columns)}</tr>"
        for row in data.rows
    )
    return f"<div class=wide><table><tr>{head}</tr>{rows}</table></div>"


def _answers(rounds: Sequence[Round], voters: Names) -> str:
    rows = []
    for one in rounds:
        scores = {answer.visitor: token for answer, token in scores_of(one)}
        for answer in one.answers:
            token = scores.get(answer.visitor)
            said = "" if token is None else f"{glyphs(token.text)}, log-probability {logprob(token.logprob)}"
            cells = (str(one.question.round), voters[answer.visitor], _said(one, answer.given), said)
            rows.append(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    head = "<tr><th>round</th><th>who</th><th>answer</th><th>under the model</th></tr>"
    return f"<details><summary>{counted(len(rows), 'answer')}</summary><table>{head}{''.join(rows)}</table></details>"


def _said(one: Round, given: Guessed | Voted | Moved) -> str:
    if isinstance(given, Guessed):
        return glyphs(given.text)
    if isinstance(given, Moved):
        return f"{given.temperature:.2f}"
    about = one.question.about
    assert isinstance(about, Better)
    pair = dict(zip(("first", "second"), map(answer_name, about.pair), strict=True))
    return pair.get(given.winner, {"tie": "a tie", "bad": "both bad"}.get(given.winner, ""))
