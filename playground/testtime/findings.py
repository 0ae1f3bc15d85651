"""What is known of choosing among answers: the course notes' figures, what their sources say, and when a rule fails.

Prose and sources only, for the page and the documentation. ``scorers`` and ``rules`` name what a finding is about.
"""

from __future__ import annotations

from dataclasses import dataclass

NOTES = "course notes"


@dataclass(frozen=True, slots=True)
class Finding:
    """One topic in a sentence or two. ``notes``: as the course notes have it, "" where they are silent.

    ``checked``: what the source says, and where the notes leave something out. ``about``: names of scorers
    (``registry.SCORERS``) or of kinds of rules (``rules.RuleKind``), or "coverage", "cost", "best score".
    """

    topic: str
    notes: str
    checked: str
    sources: tuple[str, ...]
    about: tuple[str, ...]


FINDINGS: tuple[Finding, ...] = (
    Finding(
        "The average log-probability as the best",
        "Sample several outputs and return the one with the highest average log-probability, as OpenAI's best_of did.",
        "The API's reference says the same: the highest log-probability a token. It rewards what is expected, so it "
        "prefers bland and repeating texts, and says nothing of truth.",
        ("OpenAI API reference, legacy completions: best_of", "Holtzman et al. 2020, arXiv 1904.09751"),
        ("avg-logprob", "length-norm"),
    ),
    Finding(
        "The sum prefers the short",
        "Longer texts gather more negative log-probability; dividing by the length mends it.",
        "Taken to its end it is worse than that: in more than half of the sentences of one translation model the likeliest "
        "output of all was the empty one (51.8%).",
        ("Stahlberg and Byrne 2019, arXiv 1908.10090",),
        ("sum-logprob",),
    ),
    Finding(
        "A verifier is worth thirty times the size",
        "A verifier helped as much as a model 30 times as large: 100M parameters with one are about 3B without.",
        "The paper's pair is 6B with a verifier, slightly above 175B without, on grade-school mathematics with 100 answers "
        "a problem; it needs enough training data, and with less the verifier does not pay.",
        ("Cobbe et al. 2021, arXiv 2110.14168",),
        ("reward", "judge"),
    ),
    Finding(
        "A verifier can be over-searched",
        "More outputs help up to about 400; beyond, performance falls.",
        "So it was measured, and explained by answers that fool the verifier. For reward models the true reward of the best "
        "of n follows d(α - βd) with d = √KL: it rises, then falls, while the reward model's own score still rises.",
        ("Cobbe et al. 2021, arXiv 2110.14168", "Gao et al. 2022, arXiv 2210.10760"),
        ("reward", "judge", "best score"),
    ),
    Finding(
        "Ten thousand samples",
        "The number of solved problems often grows log-linearly from 1 to 10,000 samples.",
        "What grows so is coverage: a right answer is somewhere among them. Without a checker that knows the right one, "
        "majority votes and reward models stop gaining at about a hundred samples.",
        ("Brown et al. 2024, Large Language Monkeys, arXiv 2407.21787",),
        ("coverage", "majority"),
    ),
    Finding(
        "Compute at test time or a larger model",
        "More sampling and checking can be more efficient than more parameters.",
        "With equal FLOPs a small model beat one 14 times as large on problems it sometimes solves already; on the hardest "
        "ones more training paid better.",
        ("Snell et al. 2024, arXiv 2408.03314",),
        ("coverage", "cost"),
    ),
    Finding(
        "Majority of 32",
        "For Gemini 32 outputs a question were sampled on MMLU and the most frequent option was taken.",
        "The report's 90.04% is an uncertainty-routed vote: the majority where it is clear enough, else the greedy answer. "
        "It compares with 84.0% for greedy decoding.",
        ("Gemini Team 2023, arXiv 2312.11805, appendix 10.2",),
        ("majority",),
    ),
    Finding(
        "Self-consistency",
        "Ask several times and take the commonest answer, where answers are exact.",
        "On GSM8K it added 17.9 points to chain-of-thought prompting. It fails where the commonest answer is a common "
        "mistake, and where no two answers are alike.",
        ("Wang et al. 2023, arXiv 2203.11171",),
        ("majority", "weighted vote"),
    ),
    Finding(
        "Three attempts at what works half of the time",
        "An extraction that works about half of the time works for most images within three attempts.",
        "1 - 0.5³ = 87.5%, if attempts fail independently and somebody can tell which one worked. Inputs that always fail "
        "stay failed.",
        ("arithmetic",),
        ("filter then rank", "coverage"),
    ),
    Finding(
        "How far the best of n strays",
        "",
        "ln n - (n - 1) / n bounds the KL divergence from the model's own distribution; it is exact where no two answers "
        "score alike, and an upper bound else.",
        ("Stiennon et al. 2020, arXiv 2009.01325", "Beirami et al. 2024, arXiv 2401.01879"),
        ("best score",),
    ),
    Finding(
        "N answers cost N times",
        "N outputs cost about N times as much, though the prompt is read once for all.",
        "On one machine rows that are decoded together share the reading of the weights, so time grows far more slowly than "
        "tokens until computing becomes the limit; the page measures it.",
        (NOTES, "measured on the page"),
        ("cost",),
    ),
)
