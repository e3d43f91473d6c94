"""Run by a test in a process of its own: what the memory check predicts for a Llama of eight blocks."""

import sys
from pathlib import Path

from transformers import LlamaConfig, LlamaForCausalLM

import spaces
from tests.tiny import EOS, PAD, PROMPT, dialogues, tokenizer
from trainables.preflight.memory_profile import MemoryProfile
from trainables.storage.atomic import write_text
from trainables.task import Task
from trainables.workbench import Workbench

AMPLE = 2**40
POINT = spaces.get("lora").default | {"batch_size": 8}


def peak(folder: Path, *, gradient_checkpointing: bool) -> int:
    """Bytes of a step on eight examples of about 500 tokens."""
    task = Task(
        model=str(folder),
        data={"train": str(folder / "train.jsonl")},  # type: ignore[arg-type]
        source="dialogue",
        target="summary",
        prompt=PROMPT,
        precision="fp32",
        gradient_checkpointing=gradient_checkpointing,
    )
    return MemoryProfile(Workbench(task, 0), "lora", POINT, AMPLE).predicted(8)


def plant(folder: Path) -> None:
    """The model, its tokenizer and the data."""
    words = tokenizer("llama")
    words.save_pretrained(folder)
    sizes = {"hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 8, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=len(words), pad_token_id=PAD, eos_token_id=EOS, **sizes)
    LlamaForCausalLM(config).save_pretrained(folder)
    text = " ".join(row["dialogue"].replace("\n", " ") for row in dialogues(60, seed=3))
    rows = [f'{{"dialogue": "{text[n : n + 1500]}", "summary": "{text[n : n + 20]}"}}\n' for n in range(40)]
    write_text(folder / "train.jsonl", "".join(rows))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    plant(folder)
    print(*(peak(folder, gradient_checkpointing=on) for on in (False, True)))  # noqa: T201
