"""What the three doors share."""
