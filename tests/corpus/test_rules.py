"""Rules on the cases of numbers, RefinedWeb's lines, personal data, and what thresholds make of values."""

from __future__ import annotations

import numpy as np
import pytest

from playground.corpus.documents import Document
from playground.corpus.fineweb import button_line
from playground.corpus.measuring import measure, measure_text, want_language
from playground.corpus.personal_data import mask_personal_data
from playground.corpus.rules import GROUPS, RULES, USUAL, read_rule, rules_of
from playground.corpus.verdicts import judge, rescues, sweep
from playground.engine.pieces import finish
from playground.errors import BadInput
from tests.corpus.reading import measured

USUAL_DIALS = {name: RULES[name].threshold for name in rules_of(USUAL)}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("I am your father.\n" * 4, "repeated-lines"),
        ("I am your father.\n\n" * 4, "repeated-paragraphs"),
        ("I am Frank, I am Frank, I am Frank", "top-2-grams"),
        ("I am " * 20, "gopher-word-length"),
        ("interconnection " * 20, "gopher-word-length-most"),
        ("Just one sentence.", "c4-sentences"),
        ("This line has { in it.\n" * 6, "c4-curly-bracket"),
        ("Lorem ipsum dolor sit amet.", "c4-lorem-ipsum"),
        ("a word\n" * 20, "fineweb-line-ends"),
    ],
)
def test_published_cases(text: str, rule: str) -> None:
    dial = RULES[rule]
    value = measure_text(text)[rule]
    assert value < dial.threshold if dial.fails == "below" else value > dial.threshold


def test_a_text_without_words_has_no_shares() -> None:
    values = measure_text("\n \n")
    assert np.isnan(values["gopher-letters"]) and values["gopher-words"] == 0 and values["fineweb-punctuation"] == 0


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("SIGN UP NOW", "capitals"),
        ("Home", "one word"),
        ("12 / 345", "numbers"),
        ("3 likes", "counter"),
        ("1.2k shares", "counter"),
        ("Sign in to read this", "button"),
        ("The rest of it: Read more...", "button"),
        ("He told us to sign in and went on with his work for the whole of that long day, read more", ""),
        ("An ordinary line.", ""),
    ],
)
def test_refinedwebs_lines(line: str, why: str) -> None:
    assert button_line(line) == why


def test_personal_data_is_counted_and_nowhere_kept() -> None:
    hidden = ("jane.doe@example.org", "4111 1111 1111 1111", "GB33BUKB20201555555555", "8.8.8.8", "+44 20 7946 0958")
    text = f"Write to {hidden[0]}, pay by {hidden[1]} or {hidden[2]}, from {hidden[3]}, or call {hidden[4]}."
    masked, counted = mask_personal_data(text)
    assert counted.total() == 5 and not any(each in masked for each in hidden)
    measurements = measured(text)
    assert measurements.column("personal-data")[0] == 5 and measurements.text(0) == masked
    plain = "Version 1.2.3 of 2020-01-01, 10-4471 for 1,250.00 at 127.0.0.1; card 4111 1111 1111 1112; a@b"
    assert mask_personal_data(plain) == (plain, {})


@pytest.mark.parametrize("number", ["+49 89 1234 5678", "089 1234 5678", "(030) 1234-5678", "555-867-5309"])
@pytest.mark.parametrize("sentence", ["Call {}.", "Call {}, or write.", "Call {} or write.", "{}", "Call {}; or not."])
def test_telephone_numbers_wherever_they_stand(number: str, sentence: str) -> None:
    assert mask_personal_data(sentence.format(number)) == (
        sentence.format("⟨telephone number⟩"),
        {"telephone number": 1},
    )


@pytest.mark.parametrize(
    "plain", ["2024-10-31 12:30", "On 01.02.2024 10:30, ", "2024-10-31 23", "1 250 000", "12.345.678,90"]
)
def test_dates_and_amounts_are_nobodys_number(plain: str) -> None:
    assert mask_personal_data(plain) == (plain, {})


def test_names_of_documents_keep_their_numbers_and_no_mail_address() -> None:
    given = Document(
        "<1@jane.doe.example> 4111-1111-1111-1111", "Some text.", {"source": "jane.doe@example.org", "label": "a"}
    )
    measurements = finish(measure([given, Document(4111111111111111, "More text.")], groups=()))
    assert measurements.ids == ["<⟨mail address⟩> 4111-1111-1111-1111", 4111111111111111]
    assert measurements.tags[0] == {"source": "⟨mail address⟩", "label": "a"}


def test_thresholds_make_verdicts() -> None:
    good = "The road went over the hill and down to the sea, and there we saw the boats of the men. " * 1
    texts = [good + str(number) for number in range(5)] + ["Home\nLogin\nHome\nLogin", good + "0"]
    measurements = measured(*texts)
    all_dials = judge(measurements.values, USUAL_DIALS)
    assert np.array_equal(all_dials.kept, ~all_dials.failed.any(axis=1))
    for name, count in all_dials.removed_by.items():
        alone = judge(measurements.values, {name: USUAL_DIALS[name]})
        without = judge(measurements.values, {rule: value for rule, value in USUAL_DIALS.items() if rule != name})
        assert count == int((~alone.kept).sum())
        assert all_dials.only_by[name] == int(without.kept.sum()) - int(all_dials.kept.sum())
    agreement = all_dials.agreement()
    np.testing.assert_array_equal(agreement, agreement.T)
    assert {float(value) for value in np.diag(agreement) if not np.isnan(value)} == {1.0}
    assert measurements.nearest[-1] == 0 and measurements.column("duplicates-exact")[-1] == 1


def test_moved_dials_rescue() -> None:
    measurements = measured("Home\nLogin\nHome\nLogin")
    moved = USUAL_DIALS | rescues(measurements.values[0], USUAL_DIALS)
    assert not judge(measurements.values, USUAL_DIALS).kept[0] and judge(measurements.values, moved).kept[0]
    for name in rescues(measurements.values[0], USUAL_DIALS):
        assert judge(measurements.values, moved | {name: USUAL_DIALS[name]}).failed_by(0) == (name,)


def test_another_language_is_wanted_without_reading_again() -> None:
    measurements = measured(
        "Der Weg beginnt hinter der Kirche und führt durch Obstwiesen.", "The path begins behind the church."
    )
    assert measurements.column("language")[0] < 0.01 < 0.9 < measurements.column("language")[1]
    want_language(measurements, "de")
    assert measurements.column("language")[0] > 0.9 and measurements.column("language")[1] < 0.01


def test_the_table_of_rules() -> None:
    assert set(read_rule("c4")) == {rule.name for rule in GROUPS["c4"].rules}
    assert read_rule("perplexity:50") == {"perplexity": 50.0}
    for given in ("nothing", "c4:1", "gopher-words:many", "gopher-words:nan"):
        with pytest.raises(BadInput):
            read_rule(given)
    assert all(rule.low <= rule.threshold <= rule.high and rule.source and rule.explain for rule in RULES.values())


@pytest.mark.parametrize("rule", ["gopher-letters", "gopher-ellipses", "c4-sentences", "perplexity"])
def test_a_sweep_is_what_judging_at_each_place_gives(rule: str) -> None:
    draw = np.random.default_rng(3)
    values = np.round(draw.random((300, len(RULES))), 2) * draw.choice([0.5, 1.0, 4.0], (1, len(RULES)))
    values[draw.random(values.shape) < 0.1] = np.nan  # what has no value fails nothing
    weights = draw.integers(1, 9, 300).astype(float)
    dials = {}
    for name in rules_of(["c4", "gopher-quality", "perplexity"]):
        column = values[:, list(RULES).index(name)]  # each removes a tenth
        dials[name] = float(np.nanquantile(column, 0.1 if RULES[name].fails == "below" else 0.9, method="nearest"))
    places = np.round(np.arange(0, 1.01, 0.01), 10)
    curve = sweep(judge(values, dials), values, rule, places, weights)
    assert curve.kept.min() < curve.kept.max()  # something moves
    for number, place in enumerate(places):
        there = judge(values, dials | {rule: float(place)})
        assert curve.kept[number] == there.kept.sum() and curve.weight[number] == weights[there.kept].sum()
        assert curve.removed[number] == there.removed_by[rule]
        assert {name: int(counts[number]) for name, counts in curve.only.items()} == there.only_by
