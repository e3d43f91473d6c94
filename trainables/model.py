"""The pretrained model that a process keeps and lends to one trial after the other."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM
from transformers.utils import logging

from trainables import methods
from trainables.casts import Together, cast_frozen, cast_inputs
from trainables.device import computes_in_bf16, own_device
from trainables.encode import load_encoder
from trainables.errors import InputError, NotApplicable
from trainables.kernels import choose_kernels
from trainables.methods import Model
from trainables.options import check_options, loading_options
from trainables.rung_report import Precision
from trainables.task import Task

AUTOCAST: dict[Precision, torch.dtype | None] = {
    "fp32": None,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
"""What autocast casts matrix products to; None: nothing."""


class LoadedModel:
    """A task's pretrained model and tokenizer.

    A method is attached to the model in place; `restore` takes it off and proves by checksum that the
    weights are those of the pretrained model again. Where they are not (full fine-tuning), they are read
    anew, which from a warm disk costs less than a second copy that stays in memory.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.device = own_device()
        self.precision = precision_on(self.device, task.precision)
        self.autocast_dtype = AUTOCAST[self.precision]
        self.encoder = load_encoder(task)
        self.tokenizer = self.encoder.tokenizer
        self.is_encoder_decoder = self.encoder.is_encoder_decoder
        check_options(task, self.device, self.autocast_dtype, is_encoder_decoder=self.is_encoder_decoder)
        self.model = self.pretrained().to(self.device).requires_grad_(False).eval()
        self._constants = constants(self.model)
        self._together: Together | None = None
        if task.gradient_checkpointing and not self.model.supports_gradient_checkpointing:
            kind = type(self.model).__name__
            raise InputError(f"task.gradient_checkpointing: {kind} does not support it. Set it to false.")
        self._attributes = {name: set(vars(part)) for name, part in self.model.named_modules()}
        self._checksum = checksum(self.model)

    def attach(self, method: str | None, hyperparameters: Mapping[str, Any]) -> Model:
        """Attach a method (None: nothing); return the model, ready for training on the device.

        Raises:
            NotApplicable: the method makes no sense for this model, or with the task's options.
        """
        if method is None:
            return self._ready(self.model)
        attached = methods.get(method)(self.model, hyperparameters, self.task).to(self.device)
        for constant in self._constants:
            constant.requires_grad = False
        if _is_prompt(attached):
            _move_prompt_tokens(attached, self.device)
        if self.task.packing and _is_prompt(attached):
            self.restore(attached)
            raise NotApplicable("its prompt would stand before a row, not before each example packed into it")
        if self.task.gradient_checkpointing:
            # Here, not at loading: peft would let gradients flow down to the embeddings, which nothing needs.
            self.model.activation_checkpointing_enable()
            self.model.disable_input_require_grads()
        return self._ready(attached)

    def _ready(self, attached: Model) -> Model:
        """Have what autocast casts cast as seldom as can be, which `restore` takes back."""
        if self.autocast_dtype is not None:
            cast_frozen(attached, self.autocast_dtype)
            cast_inputs(attached, self.autocast_dtype)
        if not self.task.gradient_checkpointing:
            self._together = Together(attached, self.autocast_dtype, self.device)
        return attached

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Compute the matrix products of forward passes within the block in the task's precision."""
        dtype = self.autocast_dtype
        with torch.autocast(self.device.type, dtype, enabled=dtype is not None), ExitStack() as casts:
            if self._together is not None and self._together.dtype is dtype:
                casts.enter_context(self._together.prepared())
            yield

    @contextmanager
    def unfused(self) -> Iterator[None]:
        """Run forward passes within the block as the libraries do: what is exported computes so elsewhere."""
        kept, self._together = self._together, None
        try:
            yield
        finally:
            self._together = kept

    @contextmanager
    def full_precision(self) -> Iterator[None]:
        """Run forward passes within the block in fp32."""
        kept, self.autocast_dtype = self.autocast_dtype, None
        try:
            yield
        finally:
            self.autocast_dtype = kept

    def restore(self, attached: Model) -> None:
        """Take the method off; afterwards the weights are bit for bit the pretrained ones."""
        detach(attached)
        self._together = None
        if self.task.gradient_checkpointing:
            self.model.activation_checkpointing_disable()
        for name, part in self.model.named_modules():
            for attribute in set(vars(part)) - self._attributes.get(name, set()):
                # peft's prompt methods leave a patched `prepare_inputs_for_generation` behind, and with it
                # the whole adapter.
                delattr(part, attribute)
        self.model.requires_grad_(False)
        self.model.zero_grad(set_to_none=True)
        if checksum(self.model) != self._checksum:
            self.model.load_state_dict(self.pretrained().state_dict())
            assert checksum(self.model) == self._checksum

    def export(self, model: Model, folder: Path) -> None:
        """Write a peft adapter, or a whole transformers folder where the model itself was trained."""
        if isinstance(model, PeftModel):
            model.save_pretrained(str(folder), save_embedding_layers=False)
        else:
            model.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)

    def pretrained(self, folder: Path | None = None) -> Model:
        """Load the model from disk, or from `folder`, into the CPU's memory."""
        loader = AutoModelForSeq2SeqLM if self.is_encoder_decoder else AutoModelForCausalLM
        logging.disable_progress_bar()
        try:
            model = loader.from_pretrained(
                folder or self.task.model_path,
                dtype=torch.float32,
                trust_remote_code=self.task.trust_remote_code,
                **loading_options(self.task, self.device),
            )
        except (ImportError, ValueError) as error:
            asked = self.task.attention
            if asked == "auto" or "attention" not in str(error).lower():
                raise
            raise InputError(
                f"task.attention: {asked} cannot be had here. Set it to auto. ({error})"
            ) from error
        choose_kernels(model, self.task.attention)
        return model


def precision_on(device: torch.device, precision: str = "auto") -> Precision:
    """Resolve the precision of matrix products: `auto` is bf16 where the device computes in it, else fp32."""
    if precision == "auto":
        return "bf16" if computes_in_bf16(device) else "fp32"
    return cast(Precision, precision)


def detach(attached: Model) -> Model:
    """Remove peft's wrapper and injected layers; return the model under them."""
    if not isinstance(attached, PeftModel):
        return attached
    if _is_prompt(attached):
        return attached.get_base_model()
    tuner: Any = attached.base_model
    return tuner.unload()


def _is_prompt(model: Model) -> bool:
    return isinstance(model, PeftModel) and model.active_peft_config.is_prompt_learning


def _move_prompt_tokens(attached: PeftModel, device: torch.device) -> None:
    """Put the numbers of the soft tokens on the device: peft copies them there in each forward pass."""
    attached.prompt_tokens = {name: ids.to(device) for name, ids in attached.prompt_tokens.items()}


def checksum(model: nn.Module) -> dict[str, tuple[int, int]]:
    """Compute two hashes of the bits of each parameter and buffer, on the device, and wait for it once."""
    tensors = dict([*model.named_parameters(), *model.named_buffers()])
    hashes = torch.stack([_hashes(tensor) for tensor in tensors.values()]).tolist()
    return {name: (first, second) for name, (first, second) in zip(tensors, hashes, strict=True)}


def _hashes(tensor: Tensor) -> Tensor:
    flat = tensor.detach().contiguous().view(-1)
    bits = flat.view(torch.int32) if flat.element_size() == 4 else flat
    return torch.stack([torch.hash_tensor(bits).view(torch.int64), bits.sum(dtype=torch.int64)])


def trainable_parameters(model: nn.Module) -> int:
    """Count trained parameters; a tensor shared by several modules counts once."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def constants(model: Model) -> list[nn.Parameter]:
    """Name what the architecture never trains (Pegasus's sinusoidal positions): a loaded model hides it."""
    with torch.device("meta"):
        unloaded = type(model)(deepcopy(model.config))
    fixed = {name for name, p in unloaded.named_parameters() if not p.requires_grad}
    return [p for name, p in model.named_parameters() if name in fixed]


def total_parameters(model: nn.Module) -> int:
    """Count all parameters, frozen ones too; a shared tensor counts once, a byte of a 4-bit tensor is two."""
    return sum(p.numel() * (2 if p.dtype is torch.uint8 else 1) for p in model.parameters())
