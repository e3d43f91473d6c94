"""Derive seeds from words: all randomness of a sweep comes from its one seed."""

import hashlib


def derived_seed(*parts: int | str) -> int:
    """Derive a seed of 32 bits; equal parts give equal seeds on every machine."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big")
