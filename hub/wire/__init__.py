"""Repos as the public client library expects them."""
