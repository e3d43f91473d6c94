"""Turn examples into tokens, the same way for training and for generation."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging

from trainables.data import Example
from trainables.task import Task


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example's token ids: `source` is what the model reads, `target` what it must write."""

    source: list[int]
    target: list[int]
    source_cut: int
    """Tokens that the limit cut from the source."""
    target_cut: int

    @property
    def length(self) -> int:
        return len(self.source) + len(self.target)


class Encoder:
    """Encodes a task's examples for an encoder-decoder or a causal model.

    Where a prompt is longer than `max_source_tokens`, the end of its source text is cut, not the end of
    the prompt: the instruction that follows the source ("Summary:") stays.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, task: Task, *, is_encoder_decoder: bool) -> None:
        self.tokenizer = tokenizer
        self.task = task
        self.is_encoder_decoder = is_encoder_decoder

    def encode(self, examples: Sequence[Example]) -> list[Encoded]:
        sources = self._tokens([self.rendered(example) for example in examples])
        targets = self.targets([example.references[0] for example in examples])
        return [self._encoded(*row) for row in zip(examples, sources, targets, strict=True)]

    def rendered(self, example: Example) -> str:
        """The prompt as the model sees it: inside the model's chat template where the task asks for it."""
        if not self.task.chat_template:
            return example.prompt
        message = [{"role": "user", "content": example.prompt}]
        text = self.tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
        assert isinstance(text, str)
        return text

    def targets(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens that must be generated for `texts`, the end token last; nothing is cut."""
        if self.is_encoder_decoder:
            return self.tokenizer(text_target=list(texts))["input_ids"]
        tokens = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return [[*row, self.tokenizer.eos_token_id] for row in tokens]

    def text(self, tokens: Sequence[int]) -> str:
        """What `tokens` spell, special tokens included."""
        text = self.tokenizer.decode(list(tokens))
        assert isinstance(text, str)
        return text

    def _tokens(self, prompts: list[str]) -> list[list[int]]:
        # A chat template spells its own special tokens.
        tokens = self.tokenizer(prompts, add_special_tokens=not self.task.chat_template)["input_ids"]
        if self.is_encoder_decoder:
            return tokens
        end = self.tokenizer.eos_token_id
        return [row[:-1] if row[-1] == end and not self.task.chat_template else row for row in tokens]

    def _encoded(self, example: Example, source: list[int], target: list[int]) -> Encoded:
        source_cut = max(0, len(source) - self.task.max_source_tokens)
        if source_cut:
            source = self._shortened(example, source, source_cut)
        target_cut = max(0, len(target) - self.task.max_target_tokens)
        if target_cut:
            target = [*target[: self.task.max_target_tokens - 1], target[-1]]
        return Encoded(source, target, source_cut, target_cut)

    def _shortened(self, example: Example, tokens: list[int], excess: int) -> list[int]:
        """Drop `excess` tokens from the end of the source text, or of the prompt if that is not enough."""
        text, content = self.rendered(example), example.source.strip()
        encoding = self.tokenizer(
            text,
            add_special_tokens=not self.task.chat_template,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        offsets, special = encoding["offset_mapping"], encoding["special_tokens_mask"]
        start = text.find(content)
        end = start + len(content)
        inside = [i for i in range(len(tokens)) if start <= offsets[i][0] < offsets[i][1] <= end]
        if len(inside) < excess:
            inside = [i for i in range(len(tokens)) if not special[i]]
        cut = set(inside[-excess:])
        return [token for i, token in enumerate(tokens) if i not in cut]


def load_encoder(task: Task) -> Encoder:
    """The encoder of the task's model: its tokenizer, and which kind of model it is."""
    logging.set_verbosity_error()  # prompts longer than the model's own limit are cut by ours
    options = {"trust_remote_code": task.trust_remote_code}
    tokenizer = AutoTokenizer.from_pretrained(task.model_path, **options)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    config = AutoConfig.from_pretrained(task.model_path, **options)
    return Encoder(tokenizer, task, is_encoder_decoder=config.is_encoder_decoder)
