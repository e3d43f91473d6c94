"""Where a trial keeps its files: places, atomic writes, checkpoints."""
