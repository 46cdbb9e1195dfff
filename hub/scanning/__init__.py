"""What stored bytes would do to whoever loads them, found out without loading them; pure."""
