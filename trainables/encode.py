"""Turn examples into tokens, the same way for training and for generation."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from jinja2 import TemplateError
from transformers import AutoConfig, AutoTokenizer, PreTrainedConfig, PreTrainedTokenizerBase
from transformers.utils import logging

from trainables.compat.transformers import render_chats_in
from trainables.data import Example
from trainables.errors import InputError
from trainables.sandbox import FAULTS, Sandbox
from trainables.task import Task
from trainables.template_size import TemplateLimit

_USER, _ASSISTANT = "\ue000", "\ue001"
"""Messages that no template holds, of Unicode's private use."""
MOST_OF_AN_ERROR = 300
"""Characters of a library's error that a message quotes."""
render_chats_in(Sandbox)


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

    Where a prompt is longer than `max_source_tokens`, the end of its source text is cut (or the start, as
    `truncation_side` says), not that of the prompt: the instruction around it ("Summary:") stays.
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
        """Render the prompt as the model sees it: inside its chat template where the task asks for that."""
        return self._chat(example.prompt) if self.task.chat_template else example.prompt

    @cached_property
    def end_token_id(self) -> int:
        """What ends a target: the token that the chat template closes a turn with, or the tokenizer's own."""
        usual: int = self.tokenizer.eos_token_id
        if not self.task.chat_template:
            return usual
        _, closing = self._chat(_USER, _ASSISTANT).rsplit(_ASSISTANT, maxsplit=1)
        tokens = self.tokenizer(closing, add_special_tokens=False)["input_ids"]
        return tokens[0] if tokens and tokens[0] in self.tokenizer.added_tokens_decoder else usual

    def targets(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens to be generated for `texts`, the end token last; nothing is cut."""
        if self.is_encoder_decoder:
            return self.tokenizer(text_target=list(texts))["input_ids"]
        tokens = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return [[*row, self.end_token_id] for row in tokens]

    def text(self, tokens: Sequence[int]) -> str:
        """Decode `tokens`, special tokens included."""
        text = self.tokenizer.decode(list(tokens))
        assert isinstance(text, str)
        return text

    def _chat(self, user: str, assistant: str | None = None) -> str:
        """Render a conversation in the chat template; without an answer, up to where it begins."""
        messages = [
            {"role": role, "content": content}
            for role, content in (("system", self.task.system), ("user", user), ("assistant", assistant))
            if content is not None
        ]
        try:
            text = self.tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=assistant is None
            )
        except TemplateLimit as error:
            raise InputError(
                f"task.chat_template: the chat template of {self.task.model} {error}. Mend its tokenizer's "
                "files, or set task.chat_template: false."
            ) from error
        except (TemplateError, SyntaxError, MemoryError, *FAULTS) as error:
            raise InputError(
                f"task.chat_template: the model's chat template refuses the prompt: "
                f"{str(error)[:MOST_OF_AN_ERROR]}. If it knows no system's message, set task.system: null "
                "and write it into the prompt."
            ) from error
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
        """Drop `excess` tokens from one end of the source text, or of the prompt if that is not enough."""
        text = self.rendered(example)
        encoding = self.tokenizer(
            text,
            add_special_tokens=not self.task.chat_template,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        offsets, special = encoding["offset_mapping"], encoding["special_tokens_mask"]
        start, end = self._source_place(example, text)
        spans = [(_first_sign(text, *offset), offset[1]) for offset in offsets]
        inside = [i for i in range(len(tokens)) if start <= spans[i][0] < spans[i][1] <= end]
        if len(inside) < excess:
            inside = [i for i in range(len(tokens)) if not special[i]]
        cut = set(inside[:excess] if self.task.truncation_side == "start" else inside[-excess:])
        return [token for i, token in enumerate(tokens) if i not in cut]

    def _source_place(self, example: Example, text: str) -> tuple[int, int]:
        """Return the span of the source in the rendered prompt; an empty one where it is not known."""
        if example.source_place is None:
            return 0, 0
        begin = text.find(example.prompt.strip())
        if begin < 0:
            return 0, 0
        shift = begin - (len(example.prompt) - len(example.prompt.lstrip()))
        start, end = example.source_place
        return start + shift, end + shift


def _first_sign(text: str, start: int, end: int) -> int:
    """Return where a token begins after its leading space, as T5's have; for space alone, its start."""
    return end - len(text[start:end].lstrip() or text[start:end])


def load_encoder(task: Task) -> Encoder:
    """Load the encoder of the task's model: its tokenizer, and whether it is an encoder-decoder.

    Raises:
        InputError: transformers cannot read the model's files, or it has not the chat template asked for.
    """
    tokenizer, config = _tokenizer_and_config(task)
    if tokenizer.eos_token_id is None:
        raise InputError(
            f"task.model: the tokenizer of {task.model} has no token that ends a text. Is it a model that "
            "writes, such as T5, BART, Llama or GPT-2, and are its tokenizer's files there?"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if task.chat_template and tokenizer.chat_template is None:
        raise InputError(
            f"task.chat_template: the tokenizer of {task.model} has none; it is no model for instructions. "
            "Set it to false."
        )
    return Encoder(tokenizer, task, is_encoder_decoder=config.is_encoder_decoder)


def _tokenizer_and_config(task: Task) -> tuple[PreTrainedTokenizerBase, PreTrainedConfig]:
    logging.set_verbosity_error()  # prompts longer than the model's own limit are cut by ours
    options = {"trust_remote_code": task.trust_remote_code}
    try:
        config = AutoConfig.from_pretrained(task.model_path, **options)
        return AutoTokenizer.from_pretrained(task.model_path, **options), config
    except Exception as error:  # of damaged files the libraries raise whatever they stumble on
        text = " ".join(str(error).split())
        remedy = (
            "Set task.trust_remote_code: true if you trust that code."
            if "trust_remote_code" in text
            else "It must be a folder or repository written by save_pretrained, of a model and a tokenizer."
        )
        raise InputError(
            f"task.model: the files of {task.model} cannot be read by transformers "
            f"({type(error).__name__}: {text[:MOST_OF_AN_ERROR]}). {remedy}"
        ) from error
