"""What the doors of hub share."""
