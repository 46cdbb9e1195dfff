"""Repos, their history, their bytes; jobs and events."""
