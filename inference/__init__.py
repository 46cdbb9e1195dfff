"""Models, running and learning."""
