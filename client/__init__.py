"""Small programs that people may copy into their own projects."""
