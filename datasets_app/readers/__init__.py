"""Readers of data files: from the bytes of one file to rows in batches; pure, and run in children.

Every file is hostile. What a reader raises is ``UnreadableFile``; memory and time are limited by
the child that it runs in, size by ``limits``.
"""
