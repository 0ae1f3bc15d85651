"""The visible list of scorers. A new scorer is one function, one row here and one test; ``running`` runs them."""

from __future__ import annotations

from playground.errors import BadInput
from playground.testtime import judges, verifiers
from playground.testtime import logprob_scorers as logprobs
from playground.testtime.head_scorer import make_reward_head
from playground.testtime.scoring import (
    ScoreFunction,
    ScorerKind,
    against_reference,
    bounded_check,
    each,
    with_number,
    without_argument,
)
from playground.testtime.types import ScorerSpec

_ROWS = (
    ScorerKind(
        "avg-logprob",
        "Average log-probability",
        "log-probability",
        "Prefers the answer that the model found likeliest token by token.",
        "It prefers the bland and the repetitive, and says how expected a text is, not whether it is true.",
        "(1/n) Σ ln p(token)",
        "mean of transformers' compute_transition_scores",
        without_argument("avg-logprob", each(logprobs.average_logprob)),
        reads="raw_logprobs",
    ),
    ScorerKind(
        "sum-logprob",
        "Sum of log-probabilities",
        "log-probability",
        "Prefers the answer that is likeliest as a whole.",
        "Each token can only lower it, so it prefers short answers, the empty one most of all.",
        "Σ ln p(token) = ln P(answer | prompt)",
        "the chain rule",
        without_argument("sum-logprob", each(logprobs.sum_logprob)),
        reads="raw_logprobs",
    ),
    ScorerKind(
        "length-norm",
        "Length-normalised log-probability",
        "log-probability",
        "Stands between the sum and the average: the exponent says how much of the length is taken out.",
        "The exponent was tuned for translation; no value is right for answers of very different kinds.",
        "Σ ln p / ((5 + n) / 6)^α",
        "Wu et al. 2016, arXiv 1609.08144, equation 14",
        with_number("length-norm", logprobs.DEFAULT_EXPONENT, 0, 5, logprobs.length_normalised),
        reads="raw_logprobs",
        argument=f"the exponent α, 0 to 5 (default {logprobs.DEFAULT_EXPONENT})",
    ),
    ScorerKind(
        "lowest-group-confidence",
        "Lowest group confidence",
        "log-probability",
        "Finds the place where the model was least sure and judges the answer by it.",
        "It was made for long reasoning; in a short answer the window is the whole text, and a sure mistake passes.",
        "min over windows of the mean of C_i = -(1/k) Σ ln p_i(j), k likeliest tokens",
        "Fu et al. 2025, DeepConf, arXiv 2508.15260",
        with_number(
            "lowest-group-confidence",
            logprobs.DEFAULT_WINDOW,
            1,
            100_000,
            lambda candidate, window: logprobs.lowest_group_confidence(candidate, int(window)),
            whole=True,
        ),
        reads="top_logprobs",
        argument=f"the window in tokens (default {logprobs.DEFAULT_WINDOW}; the paper's is 2,048)",
    ),
    ScorerKind(
        "self-certainty",
        "Self-certainty",
        "log-probability",
        "Prefers answers along which the model's whole distribution is far from uniform.",
        "Certainty is not truth: a model that is sure of a mistake is certain of it.",
        "-(1/nV) Σ_i Σ_j ln(V · p_i(j)) = mean KL(uniform ‖ p_i)",
        "Kang et al. 2025, arXiv 2502.18581",
        without_argument("self-certainty", each(logprobs.self_certainty)),
        reads="mean_logprobs",
    ),
    ScorerKind(
        "judge",
        "The model as judge",
        "model",
        "Asks the loaded model whether the answer is right, and takes the probability of Yes as the score.",
        "A small model says Yes to nearly everything, and likes its own words.",
        "P(Yes) of the next token after the template",
        "LLM as a judge: Kadavath et al. 2022, arXiv 2207.05221 (P(True))",
        judges.make_judge,
        argument="correct, helpful, or a template with {prompt} and {answer}",
        needs_engine=True,
        gives_verdict=True,
    ),
    ScorerKind(
        "reward",
        "Reward model",
        "model",
        "Takes the score of a sequence-classification model that was trained on people's preferences.",
        "Searched hard enough, it is fooled: the best of many may only please the reward model.",
        "the classification head's logit, or the chosen label's probability",
        "Cobbe et al. 2021, arXiv 2110.14168; Stiennon et al. 2020",
        judges.make_reward,
        argument="a local folder or hub id, then #label where it has several",
        argument_needed=True,
    ),
    ScorerKind(
        "reward-head",
        "Reward head",
        "model",
        "Takes the reward that was learnt from votes on the page Preferences, on the loaded model's own hidden states.",
        "It knows what a few votes told it, often length; searched hard enough, it is fooled.",
        "w · h at the answer's end, w of the least -Σ ln σ(r_winner - r_loser)",
        "Christiano et al. 2017, arXiv 1706.03741; Ouyang et al. 2022, arXiv 2203.02155",
        make_reward_head,
        argument="the id of a kept head",
        argument_needed=True,
        needs_engine=True,
    ),
    ScorerKind(
        "math",
        "Number or formula",
        "reference",
        "Checks a number or LaTeX formula against the reference by value, so 0.5 and \\frac{1}{2} are the same.",
        "It takes a number anywhere in the text for the answer, and needs the right answer beforehand.",
        "1 where math-verify finds both equal",
        "math-verify",
        without_argument("math", against_reference("math")),
        needs_reference=True,
        gives_verdict=True,
    ),
    ScorerKind(
        "exact",
        "Exact answer",
        "reference",
        "Compares the extracted answer with the reference, both normalised; several right answers are parted by |.",
        "Another wording of the right answer counts as wrong.",
        "1 where normalise(answer) = normalise(reference)",
        "exact match, as in SQuAD",
        verifiers.make_exact,
        argument="the answer pattern (default: the run's own)",
        needs_reference=True,
        gives_verdict=True,
    ),
    ScorerKind(
        "mentions",
        "Mentions the reference",
        "reference",
        "Looks for the reference as whole words anywhere in the text; several spellings are parted by |.",
        "A text that names every possibility passes, and so does one that denies it.",
        "1 where the text has the words",
        "word search",
        without_argument("mentions", verifiers.score_mentions),
        needs_reference=True,
        gives_verdict=True,
    ),
    ScorerKind(
        "json-equals",
        "JSON equals the reference",
        "reference",
        "Compares the JSON in the answer with the reference by value; the order of keys does not count.",
        "A value that differs in spelling only counts as wrong.",
        "1 where both values are equal",
        "RFC 8259",
        without_argument("json-equals", against_reference("json-equals")),
        needs_reference=True,
        gives_verdict=True,
    ),
    ScorerKind(
        "similarity",
        "Similarity to the reference",
        "reference",
        "Compares the meaning with the reference's, by the cosine of two sentence embeddings.",
        "Yes and No on the same subject are near each other; it sees the subject better than the truth.",
        "cos(e(answer), e(reference))",
        "Reimers and Gurevych 2019, arXiv 1908.10084; all-MiniLM-L6-v2",
        without_argument("similarity", judges.score_similarity),
        needs_reference=True,
    ),
    ScorerKind(
        "json",
        "JSON",
        "verifier",
        "Checks that the answer is JSON and, with a schema, that it fits.",
        "It checks the form; whether the values are right it cannot know.",
        "1 where it parses and fits",
        "RFC 8259; JSON Schema 2020-12 by jsonschema",
        verifiers.make_json,
        argument="a JSON schema (on the command line also @FILE)",
        gives_verdict=True,
    ),
    ScorerKind(
        "sql",
        "SQL",
        "verifier",
        "Checks that the answer is one query of the dialect and runs on a small SQLite that can only be read.",
        "A query that runs may answer another question; SQLite lacks functions that other dialects have.",
        "1 where it parses and runs",
        "sqlglot; SQLite",
        verifiers.make_sql,
        argument="a dialect (default sqlite), then ;CREATE TABLE … for a schema of your own",
        gives_verdict=True,
    ),
    ScorerKind(
        "regex",
        "Regular expression",
        "verifier",
        "Checks that a pattern matches somewhere in the answer.",
        "A pattern knows the form and not the meaning, and one that backtracks without end is given up.",
        "1 where it matches",
        "the regex package, with a timeout",
        verifiers.make_regex,
        argument="the pattern",
        argument_needed=True,
        gives_verdict=True,
    ),
    ScorerKind(
        "python",
        "Python that compiles",
        "verifier",
        "Checks that the answer, or its code block, compiles as Python; it is never run.",
        "Code that compiles may do anything or nothing; a single word compiles too.",
        "1 where it compiles",
        "Python's own compiler",
        without_argument("python", bounded_check("python")),
        gives_verdict=True,
    ),
    ScorerKind(
        "length",
        "Length",
        "verifier",
        "Checks that the answer's length lies in a range; without one, the shorter the better.",
        "Length says nothing of content, and a model made to be short may leave the answer out.",
        "-distance to the range, or -tokens",
        "counting",
        verifiers.make_length,
        argument="LOW-HIGH with t, w or c (tokens, words, characters), such as 10-50w",
        gives_verdict=True,
    ),
    ScorerKind(
        "forbidden",
        "Forbidden words",
        "verifier",
        "Checks that none of the words occurs.",
        "It sees words and not what they mean: a quotation fails and a paraphrase passes.",
        "1 where none occurs as a whole word",
        "word search",
        verifiers.make_forbidden,
        argument="words or phrases with commas",
        argument_needed=True,
        gives_verdict=True,
    ),
)

SCORERS: dict[str, ScorerKind] = {row.name: row for row in _ROWS}
"""All scorers by the name that the command line, links and recorded runs use."""

LOGPROB_SCORERS = tuple(ScorerSpec(row.name) for row in _ROWS if row.family == "log-probability")
"""The rules that need nothing but what every run records."""

_LONGEST_SPEC = 110_000  # characters


def parse_spec(text: str) -> ScorerSpec:
    """``NAME`` or ``NAME:ARG``. Raises BadInput for an unknown name or an argument its scorer refuses."""
    name, colon, argument = text[:_LONGEST_SPEC].partition(":")
    return checked_spec(ScorerSpec(name.strip().lower().replace("_", "-"), argument if colon else None))


def checked_spec(spec: ScorerSpec) -> ScorerSpec:
    """``spec`` itself once its scorer could be made. Raises BadInput."""
    make_scorer(spec)
    return spec


def kind_of(spec: ScorerSpec) -> ScorerKind:
    """Its row. Raises BadInput for an unknown name."""
    if spec.name not in SCORERS:
        raise BadInput(f"scorer: there is no {spec.name[:40]!r}; choose one of {', '.join(SCORERS)}.", "scorer")
    return SCORERS[spec.name]


def make_scorer(spec: ScorerSpec) -> ScoreFunction:
    """The scorer, ready to read candidates. Raises BadInput that says what argument it takes."""
    kind = kind_of(spec)
    if kind.argument_needed and not spec.argument:
        raise BadInput(f"scorer {kind.name}: it needs {kind.argument}; write {kind.name}:ARGUMENT.", "scorer")
    return kind.make(spec.argument)
