"""Our own API of accounts."""
