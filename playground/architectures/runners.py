"""The models that are raced: ours layer by layer, and any config's through transformers, each read in pieces and step by step."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from playground.architectures.families import VOCABULARY, WIDTH, Family
from playground.architectures.growth import Growth
from playground.errors import PlaygroundError
from playground.scaling.quantity import format_bytes

if TYPE_CHECKING:
    import torch

PIECE = 512  # tokens read between two turns of others
DECODE_STEPS = 4
SHARE = 0.5  # of the memory that is free: what a model may take


def runner_of(family: Family | None, config: Mapping[str, Any], name: str, seed: int) -> Runner:
    """A model of one of our own layers, or of transformers' classes for the family's or the given config."""
    if family is not None and family.layers:
        return OwnRunner(family, seed)
    return TransformersRunner(dict(family.config if family is not None else config), name, seed)


class Runner:
    """A model that reads a text, with a turn for others after each piece, and then goes on one token at a time."""

    vocabulary = VOCABULARY
    note = ""

    def read(self, ids: Sequence[int]) -> Generator[None, None, None]:
        raise NotImplementedError

    def step(self, token: int) -> None:
        raise NotImplementedError

    def bytes(self) -> tuple[int, int]:
        """Of the state of fixed size and of keys and values, by their tensors."""
        raise NotImplementedError

    def refuses(self, context: int, growth: Growth) -> str:
        """Why a text of that length does not fit; "" where it does."""
        from playground.models.hardware import probe

        need, free = self.needs(context) + growth.bytes(context), probe().ram_available_bytes
        if need <= SHARE * free:
            return ""
        return f"a text of that length takes {format_bytes(need)}, more than half of the {format_bytes(free)} free here"

    def needs(self, context: int) -> float:
        """Bytes of a pass beside what is kept."""
        return 4.0 * WIDTH * 8 * context


class OwnRunner(Runner):
    def __init__(self, family: Family, seed: int) -> None:
        import torch

        from playground.architectures.model import SequenceModel

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = SequenceModel(VOCABULARY, WIDTH, family.layers, family.wider).eval()
        self.states: list[tuple[torch.Tensor, ...]] = []

    def needs(self, context: int) -> float:
        return 4.0 * WIDTH * 16 * context  # one layer's inputs, outputs and their Fourier transforms

    def read(self, ids: Sequence[int]) -> Generator[None, None, None]:
        import torch

        states, x = [], None
        with torch.no_grad():
            x = self.model.embed(torch.tensor([list(ids)]))
        for block in self.model.blocks:
            with torch.no_grad():
                x, state = block.read(x)  # type: ignore[operator]
            states.append(state)
            yield
        with torch.no_grad():
            self.model.head(self.model.norm(x[:, -1]))
        self.states = states

    def step(self, token: int) -> None:
        import torch

        with torch.no_grad():
            _logits, self.states = self.model.step(torch.tensor([token]), self.states)

    def bytes(self) -> tuple[int, int]:
        from playground.architectures.model import tensor_bytes

        return tensor_bytes(self.states), 0


class TransformersRunner(Runner):
    def __init__(self, config: dict[str, Any], name: str, seed: int) -> None:
        from playground.models.decoding import find_decoding
        from playground.models.random_weights import random_model
        from playground.scaling.config_classes import build_config
        from playground.scaling.configs import find_text_config

        text, prefix = find_text_config(config)
        built = build_config(text["model_type"], text, prefix)
        self.model = random_model(built, name, seed)
        self.decoding = find_decoding(self.model, name)
        self.vocabulary = int(self.model.get_input_embeddings().weight.shape[0])
        self.longest = getattr(built.get_text_config(decoder=True), "max_position_embeddings", None)
        self.inner = _channels(built)
        self.value: Any = None
        self.length = 0
        if not self.decoding.pieces or self.decoding.argument is None:
            self.note = "read in one pass: its cache does not go on from several tokens"

    def needs(self, context: int) -> float:
        return 4.0 * 4 * self.inner * (PIECE if self.decoding.pieces else context)

    def refuses(self, context: int, growth: Growth) -> str:
        if isinstance(self.longest, int) and context + DECODE_STEPS > self.longest:
            return f"its config has positions for {self.longest:,} tokens"
        return super().refuses(context, growth)

    def read(self, ids: Sequence[int]) -> Generator[None, None, None]:
        from playground.models.decoding import new_cache

        self.length = 0
        self.value = None if self.decoding.own else new_cache(self.model.config)
        piece = PIECE if self.decoding.pieces and self.decoding.argument else len(ids)
        for begin in range(0, len(ids), piece):
            self._pass(ids[begin : begin + piece])
            yield

    def step(self, token: int) -> None:
        if self.decoding.argument is None:
            raise PlaygroundError("This model keeps nothing of what it has read: each token reads the whole text anew.")
        self._pass([token])

    def _pass(self, ids: Sequence[int]) -> None:
        import torch

        from playground.models.decoding import next_state

        argument = self.decoding.argument
        given: dict[str, Any] = {}
        if argument is not None and self.value is not None:
            given[argument] = self.value
        if self.decoding.positions:
            given["position_ids"] = torch.arange(self.length, self.length + len(ids))[None]
        with torch.inference_mode():
            output = self.model(input_ids=torch.tensor([list(ids)]), use_cache=argument is not None, **given)
        if argument is not None:
            self.value = next_state(output, argument, self.value)
        self.length += len(ids)

    def bytes(self) -> tuple[int, int]:
        from playground.engine.hf.state import DecoderState

        state = DecoderState(self.value, self.length)
        return state.state_bytes or 0, state.cache_bytes or 0


def _channels(config: Any) -> int:  # noqa: ANN401 - a config of any class
    """Numbers a token takes in one layer's pass, about: its channels times the states of each where it scans."""
    text = config.get_text_config(decoder=True)
    width = int(getattr(text, "hidden_size", WIDTH) or WIDTH)
    states = max([int(getattr(text, name, 0) or 0) for name in ("state_size", "mamba_d_state")] + [1])
    return 2 * width * states + 8 * width
