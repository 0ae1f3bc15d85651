"""Verifiers on hostile texts: what hangs, explodes, drops, attaches or asks the network costs a bounded time and no more."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from playground.bounded import calls, close_children
from playground.engine.api import CancelToken
from playground.errors import BadInput, Cancelled
from playground.testtime import checking, checks, patterns
from playground.testtime.checking import check_texts
from playground.testtime.registry import SCORERS, parse_spec
from playground.testtime.running import is_valid, score_all, score_now
from playground.testtime.scoring import ScorerKind, ScoringContext
from playground.testtime.sql_check import MOST_ROWS
from playground.testtime.types import Score
from tests.testtime.making import candidate, texts


@pytest.fixture(scope="module", autouse=True)
def _no_child_left() -> Iterator[None]:
    yield
    close_children()


def scores(spec: str, *given: str, reference: str | None = None, pattern: str | None = None) -> tuple[Score, ...]:
    column = score_now(texts(*given), [parse_spec(spec)], ScoringContext("asked", reference, pattern))[0]
    assert column.problem == ""
    return column.scores


def verdicts(spec: str, *given: str, reference: str | None = None) -> list[bool | None]:
    return [score.valid for score in scores(spec, *given, reference=reference)]


# -- numbers and formulas ------------------------------------------------------------------------------------------------


def test_numbers_and_formulas_are_compared_by_value() -> None:
    given = (r"So it is $\boxed{\frac{1}{2}}$.", "The answer is 0.5", "1/2", "0.3", "no idea")
    assert verdicts("math", *given, reference="0.5") == [True, True, True, False, False]
    assert verdicts("math", r"$x^2+2x+1$", r"$(x+1)^2$", r"$x^2$", reference="(x+1)^{2}\\cdot 1") == [True, True, False]


@pytest.mark.parametrize(
    ("reference", "right", "wrong"),
    [
        ("3x+5", ["$5+3x$", "3x+5", "The answer is 3x+5.", "3x + 5"], ["The answer is 3.", "5", "8"]),
        ("x^2-1", ["$(x+1)(x-1)$", "(x-1)(x+1)"], ["1", "x^2"]),
        ("sqrt(2)", [r"$\sqrt{2}$", "Answer: sqrt(2)"], ["2"]),
        ("2 pi", [r"$2\pi$"], ["2"]),
        ("1e5", ["100000", r"$10^5$"], ["1"]),
        ("(1,2)", ["$(1,2)$", "(1, 2)"], ["2"]),
        ("−5", ["-5", "The answer is −5."], ["5"]),
        ("-12", ["That is −12", "-$12", "The answer is –12."], ["12", "$12"]),
        ("5 apples", ["5", "There are 5 apples."], ["6 apples"]),
        ("x = 3", ["3", "$x=3$"], ["x = 4"]),
        ("1,234", ["1234"], ["234"]),
        ("{?}", ["{?}"], []),
        ("8", ["The answer is 8, not 7.", "The answer is 8 because 3 + 4 is 7."], ["The answer is 7 (not 8)."]),
        ("sqrt(2)", ["The answer is sqrt(2), not 2."], ["The answer is 2, not sqrt(2)."]),
        ("3/4", ["The answer is 3/4 of a cake."], ["The answer is 3 of the 4."]),
        ("-3", ["minus 3", "The answer is negative 3."], ["3"]),
        ("x^2", ["x**2"], ["x**3"]),
        ("8", ["8, not 7", "It is not 7 but 8", "It isn't $7$ but $8$"], ["7, not 8", "It is not 8.", "It isn't $8$."]),
        ("7", ["**7**", "The answer is **7**.", "__7__"], ["**8**"]),
        ("2^6", ["2**3 * 2**3", "**64**"], ["2**3"]),
        ("12.34", ["12,34", "12.34"], ["34", "12"]),
        ("12,34", ["12.34"], ["34"]),
        ("1000000", ["1.000.000", "1e6", "1,000,000", "1'000'000", "10⁶"], ["1", "106"]),
        ("0.001", ["10⁻³", "10^-3", "10^{-3}"], ["103"]),
        ("1.5", ["1 1/2", "1½", "3/2"], ["11/2", "1"]),
        ("-1.5", ["-1 1/2", "−1½"], ["-0.5"]),
        ("25", ["25 km/h", "25 kg", "25 m/s"], ["25 x"]),
        ("1,-2", ["-2, 1", "1, -2"], ["-2"]),
    ],
)
def test_a_bare_reference_is_read_as_a_formula(reference: str, right: list[str], wrong: list[str]) -> None:
    assert verdicts("math", *right, reference=reference) == [True] * len(right)
    assert verdicts("math", *wrong, reference=reference) == [False] * len(wrong)


def test_a_reference_that_is_no_formula_is_said() -> None:
    score = scores("math", "42", reference="none at all")[0]
    assert score.value is None and "reference" in score.note


def test_math_verify_runs_without_its_own_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """They use signals, which raise outside a main thread; the bounded call keeps the time."""
    import math_verify

    option_sets: list[dict[str, Any]] = []

    def parse(text: str, **options: Any) -> list[Any]:
        option_sets.append(options)
        return [text]

    def verify(gold: object, answer: object, **options: Any) -> bool:
        option_sets.append(options)
        return True

    monkeypatch.setattr(math_verify, "parse", parse)
    monkeypatch.setattr(math_verify, "verify", verify)
    assert checks.check_math("2", "1").valid
    assert [set(options.values()) for options in option_sets] == [{None}] * 3
    assert {name for options in option_sets for name in options} == {"parsing_timeout", "timeout_seconds"}


def test_a_formula_that_never_ends_is_given_up_and_the_next_is_checked() -> None:
    outcomes = list(check_texts("math", ["it is 9**9**9**9**9", "42"], "42", seconds=1.0))
    assert [verdict.valid for verdict in outcomes] == [None, True]
    assert "within 1 s" in outcomes[0].note


def test_after_some_that_hang_the_rest_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST_TIMEOUTS", 1)
    given = ["it is 9**9**9**9**9", "it is 8**8**8**8**8", "it is 7**7**7**7**7"]
    outcomes = list(check_texts("math", given, "42", seconds=0.3))
    assert [verdict.valid for verdict in outcomes] == [None] * 3 and "not tried" in outcomes[2].note


def test_a_visitor_whose_checks_are_slow_holds_up_no_stranger() -> None:
    """Two columns of one visitor took both places for all; a stranger's trivial check waited 21 s."""
    schema = json.dumps({"pattern": "^(a|aa)+$"})
    over = CancelToken()

    def column(number: int) -> None:
        given = ('"' + "a" * (60 + 7 * number + n) + '!"' for n in range(5))
        with contextlib.suppress(Cancelled):
            list(check_texts("json", given, schema, seconds=60.0, cancel=over, visitor="slow"))

    columns = [threading.Thread(target=column, args=(number,)) for number in range(calls.MOST_CHILDREN + 1)]
    for thread in columns:
        thread.start()
    started = time.monotonic()
    assert next(check_texts("python", ["x = 1"], visitor="stranger")).valid
    assert time.monotonic() - started < 10
    over.cancel()
    for thread in columns:
        thread.join(10)
    assert not any(thread.is_alive() for thread in columns), "a wait or a check went on after it was cancelled"


# -- JSON ----------------------------------------------------------------------------------------------------------------

PERSON = json.dumps({"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]})


def test_json_with_and_without_a_schema() -> None:
    given = ('{"age": 3}', '{"age": "3"}', "{}", "[1, 2", 'Sure:\n```json\n{"age": 4}\n```', "NaN", "[" * 50_000)
    assert verdicts("json", *given) == [True, True, True, False, True, False, False]
    assert verdicts(f"json:{PERSON}", *given) == [True, False, False, False, True, False, False]
    assert "age" in scores(f"json:{PERSON}", '{"age": "3"}')[0].note


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ('{"$ref": "https://example.com/schema.json"}', "never fetched"),
        ('{"properties": {"a": {"$ref": "file:///etc/passwd"}}}', "never fetched"),
        ('{"allOf": [{"$dynamicRef": "//host/x"}]}', "never fetched"),
        ('{"type": "nothing"}', "no JSON schema"),
        ('{"type": "string", "type": "number"}', "it has the key 'type' twice; keep one of them"),
        ("{", "no JSON"),
        ("3", "is a JSON object"),
        ("[" * 5_000 + "]" * 5_000, "JSON"),
        ('{"a": "' + "x" * 100_001 + '"}', "at most"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_at_once(schema: str, word: str) -> None:
    with pytest.raises(BadInput, match=word) as refused:
        parse_spec(f"json:{schema}")
    assert refused.value.field == "scorer" and "\n" not in str(refused.value)


def test_a_schema_that_refers_to_itself_for_ever_ends() -> None:
    for schema in (
        '{"$ref": "#"}',
        '{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}',
    ):
        score = scores(f"json:{schema}", '{"a": 1}')[0]
        assert score.valid is None and "without end" in score.note


def test_a_schema_that_refers_to_itself_with_an_end_works() -> None:
    schema = '{"type": "object", "additionalProperties": {"$ref": "#"}}'
    assert verdicts(f"json:{schema}", '{"a": {"b": {}}}', '{"a": {"b": 1}}') == [True, False]


def test_a_reference_that_hides_from_the_first_look_is_not_fetched_either(monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.request

    asked: list[object] = []
    monkeypatch.setattr(urllib.request, "urlopen", lambda *given, **_named: asked.append(given))
    schema = '{"$id": "https://example.com/a/", "properties": {"a": {"$ref": "other.json"}}}'
    verdict = checks.check_json('{"a": 1}', schema)
    assert verdict.valid is None and "never fetched" in verdict.note
    assert not asked, "the network was asked"


def test_a_pattern_in_a_schema_that_backtracks_for_ever_is_given_up() -> None:
    verdict = next(check_texts("json", ['"' + "a" * 50 + '!"'], '{"pattern": "^(a+)+$"}', seconds=0.5))
    assert verdict.valid is None and "within" in verdict.note


def test_json_equal_by_value() -> None:
    reference = '{"a": 1, "b": [true, null]}'
    given = ('{"b": [true, null], "a": 1.0}', '{"a": 1, "b": [1, null]}', '{"a": 1}', "x")
    assert verdicts("json-equals", *given, reference=reference) == [True, False, False, False]
    assert verdicts("json-equals", "1", reference="no json") == [None]


# -- SQL -----------------------------------------------------------------------------------------------------------------


def test_sql_that_runs_and_sql_that_does_not() -> None:
    given = (
        "SELECT name FROM customers WHERE city = 'Oslo' ORDER BY name",
        "```sql\nSELECT count(*) FROM orders\n```",
        "SELECT nothing FROM customers",
        "SELECT * FROM",
        "Hello there",
    )
    assert verdicts("sql", *given) == [True, True, False, False, False]
    assert scores("sql", given[0])[0].note == "2 rows"


def test_sql_is_read_in_its_dialect_and_run_on_the_given_schema() -> None:
    own = "CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (2);"
    assert verdicts(f"sql:mysql;{own}", "SELECT `n` FROM t LIMIT 0, 1", "SELECT n FROM customers") == [True, False]
    assert verdicts("sql:postgres", "SELECT name FROM customers WHERE name ILIKE 'a%'") == [True]


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE customers",
        "DELETE FROM customers",
        "INSERT INTO customers VALUES (9, 'x', 'y', 'z')",
        "UPDATE customers SET name = 'x'",
        "CREATE TABLE t (n INTEGER)",
        "ATTACH DATABASE 'stolen.db' AS other",
        "PRAGMA writable_schema = 1",
        "VACUUM INTO 'copy.db'",
        "SELECT 1; DROP TABLE customers",
        "SELECT load_extension('evil')",
        "SELECT * FROM pragma_table_info('customers')",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
        "SELECT zeroblob(2000000000)",
        "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    ],
)
def test_sql_that_writes_attaches_loops_or_explodes_is_not_valid(query: str) -> None:
    score = scores("sql", query, "SELECT count(*) FROM customers")
    assert score[0].valid is False and score[0].note
    assert score[1].valid is True, "the next query must find everything as it was"


def test_an_endless_result_is_read_up_to_a_limit() -> None:
    query = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t"
    assert f"more than {MOST_ROWS}" in scores("sql", query)[0].note


@pytest.mark.parametrize(
    "setup",
    [
        "sql:klingon",
        "sql:sqlite;ATTACH 'x.db' AS y",
        "sql:sqlite;CREATE TABEL t (n)",
        "sql:sqlite;PRAGMA temp_store_directory = 'x'",
        "sql:sqlite;CREATE TABLE t (n); "
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) INSERT INTO t SELECT n FROM r",
    ],
)
def test_a_schema_of_ones_own_is_tried_and_refused(setup: str) -> None:
    with pytest.raises(BadInput):
        parse_spec(setup)


# -- Python --------------------------------------------------------------------------------------------------------------


def test_python_that_compiles_is_never_run(capfd: pytest.CaptureFixture[str]) -> None:
    given = (
        "print('run')\nraise SystemExit(3)",
        "def f(:",
        "```python\nx = 1\n```",
        "return 1",
        "",
        "x = 10 ** 10 ** 10",
    )
    assert verdicts("python", *given) == [True, False, True, False, False, True]
    assert verdicts("python", "while True: pass") == [True]
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    "code", ["(" * 40_000, "lambda: " * 5_000 + "1", "-" * 90_000 + "1", "a" + ".b" * 40_000, "x\0y", "\ud800"]
)
def test_code_nested_to_kill_the_compiler_is_survived(code: str) -> None:
    score = scores("python", code, "x = 1")
    assert score[0].valid is not True or code.startswith("a.")
    assert score[1].valid is True


def test_a_text_too_long_to_check_is_said() -> None:
    assert scores("python", "x" * 100_001)[0].note.startswith("longer than")


# -- words, lengths, patterns ---------------------------------------------------------------------------------------------


def test_a_pattern_a_length_and_forbidden_words() -> None:
    assert verdicts(r"regex:^\d+$", "123", "a1") == [True, False]
    assert verdicts("forbidden:sorry,as an AI", "I am SORRY", "as an  ai model", "sorrysome", "fine") == [
        False,
        False,
        True,
        True,
    ]
    outcomes = scores("length:2-3w", "one", "one two", "one two three four five")
    assert [(score.value, score.valid) for score in outcomes] == [(-1.0, False), (0.0, True), (-2.0, False)]
    assert verdicts("length:-3c", "abc", "abcd") == [True, False]
    assert scores("length:3-", "x")[0].note == "2 tokens"
    shorter = scores("length", "x")[0]
    assert (shorter.value, shorter.valid) == (-2.0, None)


def test_a_pattern_that_takes_too_long_gives_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SEARCH_SECONDS", 0.05)
    outcomes = scores(r"regex:(a|aa)+$", *(["a" * 60 + "!"] * 20))
    assert all(score.value is None and "too long" in score.note for score in outcomes)


@pytest.mark.parametrize(
    "spec",
    [
        "length:",
        "length:x",
        "length:-",
        "length:5-2",
        "regex:(",
        "regex",
        "forbidden:,",
        "nothing",
        "avg-logprob:3",
        "length-norm:x",
        "length-norm:99",
        "lowest-group-confidence:1.5",
        "judge:no place for it",
        "reward",
        "exact:(",
    ],
)
def test_an_argument_that_is_no_good_is_one_sentence(spec: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_spec(spec)
    assert str(refused.value).startswith("scorer") and str(refused.value).endswith(".")


def test_exact_and_mentions() -> None:
    assert verdicts("exact:number", "It is 1,200.0", "1201", "none", reference="1200") == [True, False, False]
    assert verdicts("exact", " Paris. ", "It is Paris", reference="Paris|Paname") == [True, False]
    assert verdicts("mentions", "It is PARIS!", "Parisian", "Iron (Fe)", reference="paris|Fe") == [True, False, True]


# -- the registry --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SCORERS.values(), ids=SCORERS.keys())
def test_every_scorer_says_what_it_is_for_and_when_it_fails(kind: ScorerKind) -> None:
    assert SCORERS[kind.name] is kind
    assert kind.purpose.endswith(".") and kind.fails.endswith(".") and kind.formula and kind.source and kind.label
    assert not kind.argument_needed or kind.argument


def test_a_scorer_that_lacks_something_says_so_and_the_others_go_on() -> None:
    wanted = [parse_spec(name) for name in ("math", "judge", "avg-logprob")]
    math, judge, average = score_now(texts("42"), wanted, ScoringContext())
    assert "reference" in math.problem and math.scores[0].note == math.problem and math.scores[0].value is None
    assert "model" in judge.problem
    assert average.problem == "" and average.values == (-1.5,)


def test_scoring_tells_how_far_it_is_and_stops_when_nobody_waits() -> None:
    context = ScoringContext(cancel=CancelToken())
    steps = score_all(texts("a", "b", "c"), [parse_spec("avg-logprob")], context)
    assert (next(steps).done, next(steps).done) == (1, 2)
    context.cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)


def test_a_race_asks_for_one_verdict_at_a_time() -> None:
    wanted = [parse_spec("json"), parse_spec("length:1-5t")]
    assert is_valid(candidate(text="[1]"), wanted, ScoringContext())
    assert not is_valid(candidate(text="no"), wanted, ScoringContext())
    with pytest.raises(BadInput):
        is_valid(candidate(), [parse_spec("math")], ScoringContext())


def test_a_child_that_died_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    close_children()
    assert next(check_texts("python", ["x = 1"])).valid
    calls._idle[-1]._process.kill()
    assert next(check_texts("python", ["x = 2"])).valid is None, "the answer of a dead child is unknown, not wrong"
    assert next(check_texts("python", ["x = 2"])).valid
