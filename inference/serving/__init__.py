"""How loaded models serve many at once."""
