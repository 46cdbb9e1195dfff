"""Nouns of datasets_app: the only code that reads lists."""
