"""What is inside a dataset repo, shown."""
