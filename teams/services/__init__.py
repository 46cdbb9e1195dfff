"""Verbs of accounts: the only code that writes."""
