"""Routes of repos, one file per door."""
