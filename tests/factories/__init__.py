"""Rows for tests: each factory says only what its test is about."""
