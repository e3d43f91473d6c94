"""What makes the files that ship with tuneoff; not installed."""
