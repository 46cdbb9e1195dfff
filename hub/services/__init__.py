"""Verbs of repos: the only code that writes."""
