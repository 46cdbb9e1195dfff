"""Routes of accounts, one file per door."""
