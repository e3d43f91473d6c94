"""The models of the benchmark, shapes of known ones with random weights, and the work done on them."""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, LlamaConfig, PreTrainedConfig, T5Config

from benchmarks import work
from benchmarks.work import Work
from trainables import embedded


@dataclass(frozen=True)
class Shape:
    """A model by its configuration, and how much is done with it."""

    config: PreTrainedConfig
    examples: int
    """Of an epoch that is timed."""
    validation: int
    """Examples that text is generated for."""


T5_SMALL = {"d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8, "num_heads": 6, "vocab_size": 32_128}
"""Of google/flan-t5-small: 60.5 million parameters, 77 in the published weights, whose output head is apart;
transformers ties it to the embeddings wherever weights are random."""
LLAMA_1B = {
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "vocab_size": 128_256,
}
"""Of meta-llama/Llama-3.2-1B: 1.24 billion parameters."""
TINY_T5 = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
TINY_LLAMA = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}


def shapes(*, quick: bool) -> dict[str, Shape]:
    """By name; the quick ones have the same names and are so small that a CPU does."""
    words = AutoTokenizer.from_pretrained(embedded.MODEL)
    ids = {"pad_token_id": words.pad_token_id, "eos_token_id": words.eos_token_id, "bos_token_id": None}
    if quick:
        ids["vocab_size"] = len(words)
    t5: dict[str, Any] = {
        "feed_forward_proj": "gated-gelu",
        "decoder_start_token_id": words.pad_token_id,
        "tie_word_embeddings": False,
        **(TINY_T5 if quick else T5_SMALL),
    }
    llama: dict[str, Any] = {"tie_word_embeddings": True, **(TINY_LLAMA if quick else LLAMA_1B)}
    return {
        "flan-t5-small": Shape(T5Config(**t5 | ids), *((16, 4) if quick else (512, 128))),
        "llama-1b": Shape(LlamaConfig(**llama | ids), *((16, 4) if quick else (128, 32))),
    }


def prepare(folder: Path, *, quick: bool) -> dict[str, Work]:
    """Write models with random weights and the data, for the other parts to read; return the works."""
    works = {}
    for name, shape in shapes(quick=quick).items():
        bare, made = folder / f"{name}-bare", folder / name
        made.mkdir()
        shape.config.save_pretrained(bare)
        AutoTokenizer.from_pretrained(embedded.MODEL).save_pretrained(bare)
        options = Namespace(model=str(bare), data="embedded", precision="auto")
        works[name] = work.prepare(made, options, train=shape.examples, validation=shape.validation)
        works[name].write(folder / f"{name}.json")
    return works
