"""What we do when hub announces that a dataset changed."""
