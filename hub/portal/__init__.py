"""Repos for people."""
