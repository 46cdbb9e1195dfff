"""Nouns of repos: the only code that reads lists; already filtered by what the reader may see."""
