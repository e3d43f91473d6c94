"""Measurements of the package itself, each a command: `python -m benchmarks.<name>`."""
