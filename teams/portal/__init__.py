"""Accounts for people."""
