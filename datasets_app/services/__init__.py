"""Verbs of datasets_app: the only code that writes."""
