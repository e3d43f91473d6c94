"""Tiny models of the architectures that people fine-tune, relatives of the three of tests/tiny.py."""

from collections.abc import Callable
from typing import Any

from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    Gemma2Config,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    MT5Config,
    PegasusConfig,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen3Config,
    T5Config,
)

PAD, EOS, BOS = 0, 1, 3
Options = dict[str, Any]
T5 = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2, "decoder_start_token_id": PAD}
PEGASUS = {
    f"{part}_{name}": value
    for part in ("encoder", "decoder")
    for name, value in {"layers": 2, "attention_heads": 2, "ffn_dim": 64}.items()
} | {"d_model": 32, "max_position_embeddings": 256, "init_std": 0.2, "scale_embedding": True}
LLAMA = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
    "bos_token_id": BOS,
}
GEMMA = LLAMA | {
    "query_pre_attn_scalar": 16,
    "sliding_window": 32,  # shorter than the sources
    "layer_types": ["sliding_attention", "full_attention"],
}
GPT2 = {
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": 512,
    "initializer_range": 0.2,
    "bos_token_id": BOS,
}

CONFIGURATIONS: dict[str, Callable[[Options, float], PreTrainedConfig]] = {
    "t5-v1": lambda special, dropout: T5Config(
        feed_forward_proj="relu", dropout_rate=dropout, **T5, **special
    ),
    "flan-t5": lambda special, dropout: T5Config(
        feed_forward_proj="gated-gelu", dropout_rate=dropout, tie_word_embeddings=False, **T5, **special
    ),
    "mt5": lambda special, dropout: MT5Config(
        feed_forward_proj="gated-gelu", dropout_rate=dropout, tie_word_embeddings=False, **T5, **special
    ),
    "pegasus": lambda special, dropout: PegasusConfig(
        dropout=dropout, decoder_start_token_id=PAD, forced_eos_token_id=None, **PEGASUS, **special
    ),
    "qwen2": lambda special, dropout: Qwen2Config(
        attention_dropout=dropout, tie_word_embeddings=True, **LLAMA, **special
    ),
    "qwen3": lambda special, dropout: Qwen3Config(
        attention_dropout=dropout, tie_word_embeddings=False, **LLAMA, **special
    ),
    "smollm": lambda special, dropout: LlamaConfig(
        attention_dropout=dropout, tie_word_embeddings=True, **LLAMA, **special
    ),
    "gemma2": lambda special, dropout: Gemma2Config(attention_dropout=dropout, **GEMMA, **special),
    "gemma3": lambda special, dropout: Gemma3TextConfig(attention_dropout=dropout, **GEMMA, **special),
    "gpt2": lambda special, dropout: GPT2Config(
        resid_pdrop=dropout, embd_pdrop=dropout, attn_pdrop=dropout, **GPT2, **special
    ),
}
SEQ2SEQ = ("t5-v1", "flan-t5", "mt5", "pegasus")
CAUSAL = tuple(name for name in CONFIGURATIONS if name not in SEQ2SEQ)
KIN = dict.fromkeys(SEQ2SEQ, "t5") | dict.fromkeys(CAUSAL, "llama")
"""Whose tokenizer serves."""
UNTIED = ("flan-t5", "mt5", "qwen3")


def relative(name: str, special: Options, dropout: float) -> PreTrainedModel:
    """Two layers of width 32 with random weights; `special` are the token ids and the vocabulary's size."""
    loader = AutoModelForSeq2SeqLM if name in SEQ2SEQ else AutoModelForCausalLM
    model = loader.from_config(CONFIGURATIONS[name](special, dropout))
    if name in UNTIED and name in SEQ2SEQ:  # transformers ties them, whatever the configuration says
        model.lm_head.weight = nn.Parameter(0.5 * model.lm_head.weight.detach().flip(0))
    return model
