"""What doors of datasets share."""
