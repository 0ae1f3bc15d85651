"""How a .gguf file's tokenizer cuts a text before it merges: by the rule that the file names (``tokenizer.ggml.pre``).

transformers knows some of these names and cuts as GPT-2 wherever it does not, without a word: other pieces, other ids. The
names and what they stand for are llama.cpp's; tests hold them against published tokenizers. Byte-level vocabularies only:
no other has such a rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.errors import ModelRefused
from playground.models.gguf_file import GgufFile
from playground.models.wording import shown

if TYPE_CHECKING:
    from tokenizers.pre_tokenizers import PreTokenizer
    from transformers import PreTrainedTokenizerBase

_AS_GPT2 = frozenset(
    {"gpt-2", "phi-2", "olmo", "mpt", "jais", "gigachat", "a.x-4.0", "mellum", "trillion", "exaone4", "granite-docling"}
)
_SINGLE_DIGITS = frozenset(
    {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"}
)
"""As GPT-2, with each digit by itself."""
_ALIKE = {
    "glm4": "llama-bpe",
    "chatglm-bpe": "llama-bpe",
    "stablelm2": "qwen2",
    "hunyuan": "qwen2",
    "grok-2": "qwen2",
    "solar-open": "qwen2",
}
"""Names that transformers lacks for rules that it has."""
_DEEPSEEK3 = (
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
)
_STEPS = {
    "deepseek-v3": _DEEPSEEK3,
    "hunyuan-dense": _DEEPSEEK3,
    "joyai-llm": _DEEPSEEK3,
    "deepseek-coder": (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", r"\p{N}"),
}
"""Patterns that cut one after another: the next one what the ones before left whole."""
_WHOLE_WORDS = frozenset(
    {"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano", "tekken"}
)
"""A piece that is in the vocabulary stays whole, also where no merges lead to it."""
_COMPOSED = frozenset({"qwen2", "qwen35", "command-r", "olmo", "mpt"})
"""An accent typed as a character of its own is put together with its letter (NFC)."""
_BEGINS = frozenset({"llama3", "llama-v3", "llama-bpe"})
"""A text begins with the token of its beginning where the file does not say whether."""


def require_split(file: GgufFile, name: str) -> None:
    """Raise ModelRefused where the file's rule is not known here: its ids would be another tokenizer's."""
    if file.values.get("tokenizer.ggml.model") != "gpt2":
        return
    rule = file.values.get("tokenizer.ggml.pre")
    if rule is None:
        raise ModelRefused(
            f"{shown(name)} does not say how its tokenizer splits a text (tokenizer.ggml.pre): choose a newer .gguf file of "
            "the model, or the model as safetensors."
        )
    if not isinstance(rule, str) or _pre_tokenizer(rule) is None:
        raise ModelRefused(
            f"{shown(name)} splits a text by the rule {shown(rule)}, which is not known here: choose the model as safetensors."
        )


def set_split(tokenizer: PreTrainedTokenizerBase, file: GgufFile, name: str) -> None:
    """Make ``tokenizer``, as transformers read it from ``file``, cut by the file's rule. Raises ModelRefused."""
    require_split(file, name)
    if file.values.get("tokenizer.ggml.model") != "gpt2":
        return
    rule = str(file.values["tokenizer.ggml.pre"])
    backend: Any = tokenizer.backend_tokenizer
    backend.pre_tokenizer = _pre_tokenizer(rule)
    if rule in _WHOLE_WORDS:
        backend.model.ignore_merges = True
    if rule in _COMPOSED:
        from tokenizers.normalizers import NFC

        backend.normalizer = NFC()
    if rule in _BEGINS and "tokenizer.ggml.add_bos_token" not in file.values and tokenizer.bos_token is not None:
        tokenizer.add_bos_token = True


def _pre_tokenizer(rule: str) -> PreTokenizer | None:
    """None for a rule that is not known."""
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

    if rule in _AS_GPT2:
        return ByteLevel(add_prefix_space=False)
    if rule in _SINGLE_DIGITS:
        return Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])
    one = GGUF_PRE_TOKENIZER_SPLITS.get(_ALIKE.get(rule, rule))
    steps = _STEPS.get(rule) or ((one,) if one else ())
    if not steps:
        return None
    splits = [Split(Regex(step), behavior="isolated") for step in steps]
    return Sequence([*splits, ByteLevel(add_prefix_space=False, use_regex=False)])
