"""What public clients call about datasets."""
