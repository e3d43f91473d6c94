"""What a model writes or picks: greedy generation, labels, each source encoded once."""

SPECIAL_TOKENS = ("bos_token_id", "decoder_start_token_id", "forced_bos_token_id")
"""All that is taken from a model's own generation settings."""
