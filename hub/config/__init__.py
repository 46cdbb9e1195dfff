"""How the process is put together; names every app as text and imports none."""
