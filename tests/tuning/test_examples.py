"""Files of examples: columns mapped, fields checked, and what a stranger's file may hold."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from playground.errors import BadInput
from playground.testtime.types import Candidate, ScorerSpec
from playground.tuning.examples import Example, built_in, read_examples
from playground.tuning.measures import MEASURES


def test_json_lines_and_csv_say_the_same() -> None:
    wanted = (
        Example(
            "Hi, you", "Be brief", "Hello", (ScorerSpec("length", "1-40"), ScorerSpec("json")), ("greeting", "short")
        ),
        Example("Bye"),
    )
    lines = [
        {"prompt": "Hi, you", "system": "Be brief", "reference": "Hello", "checks": ["length:1-40", "json"]}
        | {"tags": ["greeting", "short", "greeting"]},
        {"prompt": "Bye", "reference": None},
    ]
    assert read_examples("\n".join(map(json.dumps, lines)).encode())[0] == wanted
    csv = 'prompt,system,reference,checks,tags\n"Hi, you",Be brief,Hello,length:1-40; json,greeting;short\nBye,,,,\n'
    assert read_examples(csv.encode("utf-16"))[0] == wanted
    assert read_examples(json.dumps(lines).encode())[0] == wanted


def test_columns_are_mapped_and_others_said() -> None:
    examples, notes = read_examples(
        b"Question;Answer;id\nWhy?;Because;7\n", columns={"prompt": "question", "reference": "answer"}
    )
    assert examples == (Example("Why?", reference="Because"),) and notes == ("Left out: id.",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("prompt\n", "no example"),
        ("text\nhello\n", "no column prompt"),
        ("prompt,prompt\na,b\n", "two columns prompt"),
        ('{"prompt": ""}', "line 1 has no prompt"),
        ('{"prompt": "a", "checks": ["nothing"]}', "line 1: scorer: there is no 'nothing'"),
        ('{"prompt": "a", "checks": ["exact"]}', "exact is no check"),
        ('{"prompt": "a", "tags": ["' + "x" * 61 + '"]}', "a tag has more than 60"),
        ('{"prompt": "' + "x" * 20_001 + '"}', "more than 20,000 characters"),
        ('{"prompt": "a", "checks": "' + ";".join(f"length:1-{n}" for n in range(2, 13)) + '"}', "more than 10 checks"),
        ('{"prompt": "\\ud800"}', "half a surrogate pair"),
        ('{"prompt": "a", "\\ud800": "b"}', "a name in line 1 holds half a surrogate pair"),
        ("prompt\n" + "a\n" * 201, "more than 200 examples"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(BadInput, match="The file of examples cannot be used: ") as refused:
        read_examples(text.encode("utf-8", "surrogatepass"))
    assert said in str(refused.value) and str(refused.value).count("cannot be used") == 1


def test_the_built_in_examples_pass_their_own_checks() -> None:
    """Twelve for three purposes, and each reference is an answer that the example's checks accept."""
    examples = built_in()
    assert Counter(example.tags for example in examples) == {("support",): 4, ("extraction",): 4, ("product copy",): 4}
    for example in examples:
        n = np.empty(0, dtype=np.float32)
        answer = Candidate(0, (1,), (), example.reference, "eos", n, n, n, n, n[:, None], 10)
        assert example.checks and MEASURES["checks"].score(answer, example) == 1, example.prompt


def test_a_field_can_be_needed() -> None:
    with pytest.raises(BadInput, match="line 2 has no reference"):
        read_examples(b"prompt,reference\na,\n", needed=("prompt", "reference"))


def test_a_quote_that_is_not_closed_leaves_a_message_of_one_line() -> None:
    with pytest.raises(BadInput, match=r"^[^\n]*its columns are unclosed 1,2\.$"):
        read_examples(b'"unclosed\n1,2', "x.csv")
