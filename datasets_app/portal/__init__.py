"""Pages about what is inside datasets."""
