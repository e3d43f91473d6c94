"""What one run of the final trained, for those who use it: a folder, or a repository of the hub."""
