"""Routes of datasets_app."""
