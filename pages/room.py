"""The Room page: a workshop on one machine. The wall for who leads, one's own place for all others."""

from playground.ui.kit.page import PageSpec, Section
from playground.ui.room_page.asking import QUESTION
from playground.ui.room_page.lesson import lesson_section
from playground.ui.room_page.questions import question_part
from playground.ui.room_page.sections import room_section
from playground.ui.workspace.room import has_room, leads

PAGE = PageSpec(
    name="room",
    group="Together",
    title="Room",
    icon=":material/groups:",
    about="A workshop on one machine: who is here, what is shown, what is asked.",
    sentence="A workshop on one machine: who leads shows, everybody follows, tries for themselves, guesses and votes.",
    sections={
        "wall": Section("Wall", room_section),
        "lesson": Section("Lesson", lesson_section, shown=leads),
        "questions": Section("Questions", lambda _view: question_part(), shown=leads),
    },
    parts=(QUESTION,),
    listed=has_room,
)

if __name__ == "__main__":
    from pages import show_page

    show_page("room")
