"""GitObject, GitCommit, GitRef, GitLine, PathChange: the rows in which git history lives.

The tables are made by hand in a migration (hash partitions, storage parameters); these classes
describe them for readers and for the rare query that is not hot. Objects, commits and changes are
only ever added; refs move. Every key begins with ``repo_id``.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

PARTITIONS = 64


class GitObject(models.Model):
    """A commit, tree, blob or tag, deflated; a tree may be a git delta against ``base``."""

    pk = models.CompositePrimaryKey("repo_id", "oid")
    repo_id = models.BigIntegerField()
    oid = models.BinaryField(max_length=20)
    kind = models.SmallIntegerField()
    size = models.IntegerField()
    base = models.BinaryField(max_length=20, null=True)
    lfs_oid = models.BinaryField(max_length=32, null=True)
    lfs_size = models.BigIntegerField(null=True)
    data = models.BinaryField()

    class Meta:
        managed = False
        db_table = "git_object"

    def __str__(self) -> str:
        return bytes(self.oid).hex()


class GitCommit(models.Model):
    """A commit as lists need it, with its place in the repo's lines of history."""

    pk = models.CompositePrimaryKey("repo_id", "oid")
    repo_id = models.BigIntegerField()
    oid = models.BinaryField(max_length=20)
    line = models.IntegerField()
    pos = models.IntegerField()
    tree = models.BinaryField(max_length=20)
    parents = ArrayField(models.BinaryField(max_length=20))
    author = models.TextField()
    author_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    title = models.TextField()
    message = models.TextField()

    class Meta:
        managed = False
        db_table = "git_commit"

    def __str__(self) -> str:
        return bytes(self.oid).hex()


class GitRef(models.Model):
    """A branch, tag or other ref."""

    pk = models.CompositePrimaryKey("repo_id", "name")
    repo_id = models.BigIntegerField()
    name = models.TextField()
    oid = models.BinaryField(max_length=20)
    updated_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "git_ref"

    def __str__(self) -> str:
        return self.name


class GitLine(models.Model):
    """A run of first parents; where it left its parent line, if it has one."""

    pk = models.CompositePrimaryKey("repo_id", "line")
    repo_id = models.BigIntegerField()
    line = models.IntegerField()
    parent_line = models.IntegerField(null=True)
    parent_pos = models.IntegerField(null=True)

    class Meta:
        managed = False
        db_table = "git_line"

    def __str__(self) -> str:
        return f"line {self.line}"


class PathChange(models.Model):
    """A path (file or folder) changed in the commit at ``(line, pos)``."""

    pk = models.CompositePrimaryKey("repo_id", "dir_key", "name", "line", "pos")
    repo_id = models.BigIntegerField()
    dir_key = models.BinaryField(max_length=16)
    """First 16 bytes of the SHA-256 of the folder's path."""
    name = models.TextField()
    line = models.IntegerField()
    pos = models.IntegerField()
    deleted = models.BooleanField(default=False)

    class Meta:
        managed = False
        db_table = "path_change"

    def __str__(self) -> str:
        return self.name


class PendingIndex(models.Model):
    """Commits whose changed paths are still to be found out: a run of positions of one line."""

    repo = models.ForeignKey("hub.Repo", on_delete=models.CASCADE, related_name="+")
    line = models.IntegerField()
    next_pos = models.IntegerField()
    last_pos = models.IntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(next_pos__lte=models.F("last_pos")),
                name="pending_index_is_not_empty",
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line}, positions {self.next_pos} to {self.last_pos}"
