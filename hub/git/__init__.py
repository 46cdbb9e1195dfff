"""Git's formats: objects, deltas, attributes. Bytes in, values out."""
