"""Bytes by key, written once: the port, its implementations, and the keys; pure."""
