"""What people would run instead of tuneoff, written plainly, as they would write it."""
