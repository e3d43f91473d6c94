"""What a model writes or picks: greedy generation, labels, each source encoded once."""
