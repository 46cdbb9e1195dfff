"""What may be asked of models, and how it is written by which client. Pure."""
