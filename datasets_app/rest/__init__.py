"""Our own API over rows of datasets."""
