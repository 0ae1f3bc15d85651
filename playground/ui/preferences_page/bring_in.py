"""Answers to vote on: what ships, runs, texts of Generate or a tuning, the room's questions, a file; and synthetic voters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from playground.errors import BadInput
from playground.preferences.ballot_file import read_ballot
from playground.preferences.ballots import MOST_ANSWERS, Answer, Ballot, Side, Verdict, Winner
from playground.preferences.ready import READY_NAME, ready_ballot
from playground.preferences.synthetic import VOTERS, synthetic_verdicts
from playground.room.questions.better import TextVote, votes_of
from playground.testtime.stored_runs import RunSummary, StoredRun, shared_store
from playground.tuning.judging import Judgement
from playground.tuning.panel import Panel
from playground.tuning.plan import CONTROL
from playground.tuning.runs import TuningStore
from playground.ui.kit.fragments import PICTURES, TEXT
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here
from playground.ui.preferences_page.from_generate import take_written, written_answers
from playground.ui.preferences_page.session import add_ballot, attempt, cast, opened
from playground.ui.room_page.asking import question_hub
from playground.ui.visitor import owner_id
from playground.ui.workspace.room import leads, the_room
from playground.ui.workspace.shared import file_uploader

SHOWN = 12
SYNTHETIC_VOTES = 150
_ALL = (TEXT, PICTURES)


def bring_in() -> None:
    """One popover; its body runs only while it is open."""
    with st.popover("Bring in answers", on_change="rerun", key="preferences_bring_in") as box:
        if not box.open:
            return
        with problems_shown_here():
            _ready()
        with problems_shown_here():
            _runs()
        with problems_shown_here():
            _written()
        with problems_shown_here():
            _tunings()
        with problems_shown_here():
            _room()
        with problems_shown_here():
            _file()


def offer_synthetic() -> None:
    """A button for each voter that does not exist."""
    st.caption(
        f"Synthetic voters know their own reward, so that you can see what comes back of it; each gives up to "
        f"{SYNTHETIC_VOTES} votes, "
        "as its own group."
    )
    with st.container(horizontal=True):
        for voter in VOTERS.values():
            st.button(
                voter.name,
                key=f"preferences_synthetic_{voter.name}",
                icon=":material/smart_toy:",
                help=voter.about.capitalize() + ".",
                on_click=attempt(_let_vote, *_ALL),
                args=(voter.name,),
            )


def _let_vote(name: str) -> None:
    cast(synthetic_verdicts(opened().ballot, VOTERS[name], SYNTHETIC_VOTES))


def _button(
    label: str, key: str, action: Callable[..., object], *args: object, about: str = "", off: bool = False
) -> None:
    st.button(label, key=key, on_click=attempt(action, *_ALL), args=args, help=about or None, disabled=off)


def _ready() -> None:
    ballot = ready_ballot()
    _button(
        f"The answers that ship ({len(ballot.answers)})",
        "preferences_ready",
        add_ballot,
        READY_NAME,
        ballot,
        about="Twelve everyday prompts, each answered twice by the bundled model under three temperatures.",
    )


# -- runs of Best-of-N -----------------------------------------------------------------------------------------------------


def _runs() -> None:
    runs = [run for run in shared_store(owner_id()).runs() if run.status != "damaged" and run.finished > 0][:SHOWN]
    if not runs:
        st.caption("Runs of the Best-of-N page can be voted on: there is none yet.")
        return
    chosen = st.multiselect(
        "Runs of Best-of-N",
        runs,
        format_func=_run_name,
        key="preferences_runs",
        help="Several are joined: runs of two models on one prompt are compared with each other.",
    )
    _button("Vote on them", "preferences_take_runs", _take_runs, tuple(run.id for run in chosen), off=not chosen)


def _run_name(run: RunSummary) -> str:
    return f"{run.prompt[:50]} · {run.finished} answers · {run.model}"


def _take_runs(runs: Sequence[str]) -> None:
    loaded = [shared_store(owner_id()).load(run) for run in runs]
    answers = [answer for run in loaded for answer in answers_of(run)]
    request = loaded[0].request
    add_ballot(request.prompt[:60], Ballot(_distinct(answers)))


def answers_of(run: StoredRun) -> list[Answer]:
    """A run's candidates, named by the model and, where settings are mixed, the setting."""
    request, model = run.request, run.origin.name
    system = request.system if request.chat else ""
    return [
        Answer(request.prompt, one.text, " · ".join(filter(None, (model, one.setting))), system)
        for one in run.candidates
    ]


def _distinct(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """Equal answers of one writer once; as many as can be voted on."""
    return tuple(dict.fromkeys(answers))[:MOST_ANSWERS]


# -- the page Generate -------------------------------------------------------------------------------------------------------


def _written() -> None:
    answers = written_answers()
    if not answers:
        st.caption("Texts of the page Generate can be voted on, once this tab has written some.")
        return
    _button(
        f"What Generate has written here ({len(answers)})",
        "preferences_take_written",
        take_written,
        answers,
        about="Branches of Write, and settings and models of Compare, where a prompt has two or more.",
    )


# -- a tuning and its judges' votes ----------------------------------------------------------------------------------------


def _tunings() -> None:
    tunings = [each for each in TuningStore(owner_id()).tunings() if each.written > 1][:SHOWN]
    if not tunings:
        return
    chosen = st.selectbox(
        "A tuning's texts, with its judges' votes",
        tunings,
        index=None,
        format_func=lambda each: f"{each.name} · {each.written} texts",
        key="preferences_tuning",
    )
    _button("Vote on these", "preferences_take_tuning", _take_tuning, chosen.id if chosen else "", off=chosen is None)


def _take_tuning(tuning: str) -> None:
    panel = Panel(tuning, owner_id())
    material, kept = panel.material(), TuningStore(owner_id()).load(tuning)
    names = {judge: record.nickname for judge, record in panel.judges().items()}
    places: dict[tuple[int, int, str], int] = {}
    answers: list[Answer] = []
    for arm in material.settings:
        for example, ((prompt, system), samples) in enumerate(zip(material.prompts, material.texts[arm], strict=True)):
            for sample, text in enumerate(samples):
                if text is not None:
                    places[example, sample, arm] = len(answers)
                    answers.append(Answer(prompt, text, arm, system))
    verdicts = [verdict for each in panel.judgements() if (verdict := _verdict_of(each, places, names)) is not None]
    add_ballot(
        kept.summary.name, Ballot(tuple(answers)), list({(v.voter, v.first, v.second): v for v in verdicts}.values())
    )


def _verdict_of(each: Judgement, places: dict[tuple[int, int, str], int], names: dict[str, str]) -> Verdict | None:
    """A judge's vote on a ballot's answers; None for equal texts and for the control."""
    unit = each.unit
    if each.verdict == "same" or CONTROL in unit.pair:
        return None
    one, other = (places.get((unit.example, unit.sample, arm)) for arm in unit.pair)
    if one is None or other is None:
        return None
    left_place = one if each.left == "first" else other
    first, second = min(one, other), max(one, other)
    left: Side = "first" if left_place == first else "second"
    right: Side = "second" if left == "first" else "first"
    winner: Winner = {"left": left, "right": right, "tie": "tie"}.get(each.verdict, "both_bad")
    return Verdict(names.get(each.judge, "judge")[:40], first, second, left, winner, at=each.at)


# -- the room ----------------------------------------------------------------------------------------------------------------


def _room() -> None:
    room = the_room()
    if room is None or not leads():
        return
    votes = votes_of(question_hub(room).rounds())
    _button(
        f"What the room voted on ({len(votes)} votes)",
        "preferences_take_room",
        _take_room,
        votes,
        off=not votes,
        about="Which answer is better?, all rounds; people are numbered.",
    )


def _take_room(votes: Sequence[TextVote]) -> None:
    answers: dict[Answer, int] = {}
    voters: dict[str, str] = {}
    verdicts: dict[tuple[str, int, int], Verdict] = {}
    for vote in votes:
        left, right = (
            answers.setdefault(Answer(vote.prompt, text), len(answers)) for text in (vote.left_text, vote.right_text)
        )
        if left == right:
            continue
        voter = voters.setdefault(vote.voter, f"participant {len(voters) + 1}")
        first, second = min(left, right), max(left, right)
        side: Side = "first" if left == first else "second"
        other: Side = "second" if side == "first" else "first"
        winner: Winner = {"left": side, "right": other, "tie": "tie"}.get(vote.outcome, "both_bad")
        verdicts[voter, first, second] = Verdict(voter, first, second, side, winner, "room")
    if not verdicts:
        raise BadInput("The room has not voted on two different answers yet.", "ballot")
    add_ballot("The room's votes", Ballot(tuple(answers)), list(verdicts.values()))


# -- a file --------------------------------------------------------------------------------------------------------------------


def _file() -> None:
    given = file_uploader(
        "Answers or votes (JSONL, CSV)",
        type=["jsonl", "json", "ndjson", "csv"],
        key="preferences_file",
        help="TRL's preference format (prompt, chosen, rejected), votes with sides (prompt, left, right, winner), or answers "
        "(prompt, response, name); voter and group may stand beside.",
    )
    if given is None:
        return
    read = read_ballot(given.getvalue(), given.name)
    for note in read.notes:
        st.caption(escape_markdown(note))
    st.caption(
        f"{len(read.ballot.answers):,} answers to {len(read.ballot.questions):,} prompts, {len(read.verdicts):,} votes."
    )
    _button("Vote on what it holds", "preferences_take_file", add_ballot, given.name, read.ballot, read.verdicts)
