"""The room's votes on answers go on: to Preferences, where a reward model is fitted to them."""

from __future__ import annotations

from playground.preferences.kept import BallotStore
from playground.room.hub.room import Room
from playground.room.questions.types import Better, Voted
from playground.store.records import LOCAL
from playground.ui.room_page.asking import question_hub
from tests.ui.following.conftest import Tabs


def test_the_leader_brings_the_room_s_votes_to_preferences_with_people_numbered(room: Room, tab: Tabs) -> None:
    stage = question_hub(room)
    asked = stage.ask("lena", Better("Why?", ("one", "two")))
    stage.answer("ada", asked.id, Voted("first", "second"))
    stage.answer("bo", asked.id, Voted("tie", "first"))
    stage.finish("lena", asked.id)
    leader, ada = tab("lena"), tab("ada")
    for one in (leader, ada):
        one.go("teach_preferences")
        one.app.hold(preferences_bring_in=True)
    assert "preferences_take_room" not in {button.key for button in ada.run().at.button}
    leader.run().at.button(key="preferences_take_room").click()
    leader.run()
    (summary,) = BallotStore(LOCAL).ballots()
    kept = BallotStore(LOCAL).load(summary.id)
    ada_s, bo_s = sorted(kept.verdicts, key=lambda verdict: verdict.voter)
    assert [ada_s.voter, bo_s.voter] == ["participant 1", "participant 2"]
    won = ada_s.first if ada_s.winner == "first" else ada_s.second
    assert kept.ballot.answers[won].text == "one" and kept.ballot.answers[won].prompt == "Why?" and bo_s.winner == "tie"
