"""200 texts of all scripts for tokenizers: articles of the declaration, and what breaks tokenizers."""

from __future__ import annotations

from playground.corpus.parallel import declaration

ODD = (
    "",
    " ",
    "\n\n \t x",
    "a\u0301 e\u0301 \u0e33",
    "👩‍👩‍👧‍👦 🇫🇷 🙂",
    "שלום عليكم abc",
    "0123456789 3.14159 १२३",
    "def f(x):\n    return x ** 2  # ok\n",
    "<|im_end|> <s> </s> [INST] <bos>",
    "\ufeffBOM and \u200b zero width",
    "ﬁ ½ ㎏ Å",
    "\x00\x01\x7f",
    "𐍈𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "don't won't I'LL 'tis",
    "https://example.org/a?b=c&d=%20",
    "a" * 300,
    "…——“”‘’",
    "CamelCaseWordsAndSHOUTING",
    "  leading and trailing  ",
    "tab\tnewline\r\nmixed\rend",
)


def two_hundred() -> list[str]:
    """Two articles of each language that ships, longest languages cut, and the odd ones."""
    languages = list(declaration().languages.values())
    texts = [text for each in languages for text in (each.texts["1"], each.texts["20"])]
    more = [each.texts["4"] for each in languages[: 200 - len(texts) - len(ODD)]]
    return [*ODD, *texts, *more][:200]
