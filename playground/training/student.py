"""The model that is taught: weights of its own, frozen, with a LoRA adapter by peft that alone has gradients.

Loaded apart from what is served, so nobody else's rows change by a bit. Run on the thread that trains only.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from playground.engine.text.codec import HfTextCodec
from playground.errors import BadInput, ModelRefused
from playground.models.describing import describe
from playground.models.hardware import probe
from playground.models.info import LoadedModelInfo
from playground.models.loading import read
from playground.models.locating import LocatedModel, locate
from playground.models.scoring_head import read_with_head
from playground.models.wording import reason_text, shown
from playground.training.settings import TARGETS, TrainSettings
from playground.training.teachable import quantised_sentence

if TYPE_CHECKING:
    from peft import PeftModel

Tensors = dict[str, torch.Tensor]


@dataclass(eq=False)
class Student:
    """``codec`` and ``info`` as the engine has them. ``head``: whether a module gives a score. ``notes``: sentences on what
    was chosen for it.
    """

    model: PeftModel
    tokenizer: Any  # transformers' own
    codec: HfTextCodec
    info: LoadedModelInfo
    base: str
    head: bool
    notes: tuple[str, ...] = ()

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    @property
    def pad_id(self) -> int:
        pad = self.tokenizer.pad_token_id
        return int(self.tokenizer.eos_token_id or 0) if pad is None else int(pad)

    def trainable(self) -> dict[str, torch.nn.Parameter]:
        """What is taught, by name, in a fixed order."""
        return {name: one for name, one in self.model.named_parameters() if one.requires_grad}

    @property
    def trainable_parameters(self) -> int:
        return sum(one.numel() for one in self.trainable().values())

    def state(self) -> Tensors:
        """A copy of what is taught."""
        return {name: one.detach().cpu().clone() for name, one in self.trainable().items()}

    def load_state(self, tensors: Tensors) -> None:
        """What ``state`` gave. Raises BadInput where it is another adapter's."""
        own = self.trainable()
        if own.keys() != tensors.keys() or any(own[name].shape != tensors[name].shape for name in own):
            raise BadInput("The checkpoint is of another model or rank: start the training anew.", "checkpoint")
        with torch.no_grad():
            for name, one in own.items():
                one.copy_(tensors[name])

    @contextmanager
    def untaught(self) -> Iterator[None]:
        """The model as it was before, inside the block: the adapter off."""
        with self.model.disable_adapter():
            yield

    def save(self, folder: Path) -> None:
        """A language model's adapter as a standard PEFT folder; a reward model whole, as a sequence-classification folder.

        A reward model's adapter is merged into its weights, so that it cannot be taught any more.
        """
        if not self.head:
            self.model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
            return
        whole: Any = self.model.merge_and_unload()
        whole.save_pretrained(folder, safe_serialization=True)
        self.tokenizer.save_pretrained(folder)


def open_student(spec: str | None, settings: TrainSettings, *, device: str | None = None) -> Student:
    """Load ``spec`` apart and put an adapter on it. Raises the errors of ``locate`` and ``read``, ModelRefused for what has
    no gradients (a server, quantised weights) and BadInput for targets that it does not have.
    """
    dtype = settings.dtype if settings.dtype != "auto" else best_dtype(device)
    located = locate(spec, device=device, dtype=dtype)
    require_teachable(located)
    if settings.kind == "reward":
        model, tokenizer = read_with_head(located, settings.seed)
        from playground.models.decoding import find_decoding

        info = describe(located, model, tokenizer, find_decoding(model, located.source.id))
    else:
        loaded = read(located, attn_implementation="eager")
        model, tokenizer, info = loaded.model, loaded.tokenizer, loaded.info
    source = located.source
    name = source.hub_id or str(source.path or located.folder)
    model.name_or_path = model.config._name_or_path = name  # what the saved adapter names as its base
    targets = fitting_targets(model, settings.targets)
    notes = (
        f"This model has no layers called {' and '.join(settings.targets)}: the adapter is on {' and '.join(targets)}.",
    )
    return Student(
        _with_adapter(model, replace(settings, targets=targets), name),
        tokenizer,
        HfTextCodec(tokenizer, info),
        info,
        name,
        settings.kind == "reward",
        notes if targets != settings.targets else (),
    )


def fitting_targets(model: Any, targets: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ANN401 - a transformers model
    """The layers to adapt: those asked for, and where a model has none of the default ones what PEFT takes for its family."""
    if targets != TARGETS or any(name.endswith(targets) for name, _module in model.named_modules()):
        return targets
    from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as OF_FAMILIES

    family_targets = OF_FAMILIES.get(model.config.model_type)
    return tuple(family_targets) if isinstance(family_targets, list) else targets


def require_teachable(located: LocatedModel) -> None:
    """Raises ModelRefused where no gradient can flow."""
    name = shown(located.source.id)
    if located.placement.device_map is not None:
        raise ModelRefused(f"{name} is spread over several devices and cannot be taught here: choose a smaller model.")
    if located.is_quantised:
        raise ModelRefused(quantised_sentence(name))


def best_dtype(device: str | None) -> str:
    """bfloat16 where the processor multiplies in it, float32 elsewhere: measured in docs/teach.md."""
    machine = probe()
    if device in (None, "auto", "cpu") and not machine.cuda:
        fast = torch._C._has_mkldnn and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        return "bfloat16" if fast else "float32"
    return "bfloat16" if device is None or "cuda" in device else "float32"


def _with_adapter(model: Any, settings: TrainSettings, name: str) -> PeftModel:  # noqa: ANN401 - a transformers model
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]  # peft takes fractions too
        target_modules=list(settings.targets),
        lora_dropout=0.0,
        bias="none",
        task_type="SEQ_CLS" if settings.kind == "reward" else "CAUSAL_LM",
        base_model_name_or_path=name,
    )
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers for something by its former name
            warnings.filterwarnings("ignore", "fan_in_fan_out")  # it sets that itself for GPT-2's transposed layers
            torch.manual_seed(settings.seed)
            taught = get_peft_model(model, config)
    except ValueError as error:
        layers = sorted(
            {key.rpartition(".")[2] for key, one in model.named_modules() if isinstance(one, torch.nn.Linear)}
        )
        raise BadInput(
            f"No layer of this model is called {' or '.join(settings.targets)[:80]} ({reason_text(error)[:80]}): choose of "
            f"{', '.join(layers)[:200]}.",
            "targets",
        ) from error
    if settings.kind == "reward":
        _in_float32(taught)
    taught.eval()  # no dropout: a step is the same whenever it is repeated
    return taught


def _in_float32(model: PeftModel) -> None:
    """A head that is taught in bfloat16 would lose its small steps to rounding."""
    for name, module in model.named_modules():
        if name.endswith(("score", "classifier")) and hasattr(module, "modules_to_save"):
            module.float()
            module.register_forward_pre_hook(lambda _module, inputs: (inputs[0].float(), *inputs[1:]))
