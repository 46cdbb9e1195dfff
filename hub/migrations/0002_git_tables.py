"""Make the tables of git history by hand: hash partitions from the start, no second compression."""

from django.db import migrations

PARTITIONS = 64

TABLES = """
CREATE TABLE git_ref (
    repo_id bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    oid bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repo_id, name)
);
CREATE TABLE git_line (
    repo_id bigint NOT NULL,
    line int NOT NULL,
    parent_line int,
    parent_pos int,
    PRIMARY KEY (repo_id, line),
    CONSTRAINT line_leaves_its_parent_at_a_position
        CHECK ((parent_line IS NULL) = (parent_pos IS NULL))
);
CREATE TABLE git_object (
    repo_id bigint NOT NULL,
    oid bytea NOT NULL,
    kind smallint NOT NULL,
    size int NOT NULL,
    base bytea,
    lfs_oid bytea,
    lfs_size bigint,
    data bytea NOT NULL,
    PRIMARY KEY (repo_id, oid),
    CONSTRAINT pointer_has_digest_and_size CHECK ((lfs_oid IS NULL) = (lfs_size IS NULL))
) PARTITION BY HASH (repo_id);
CREATE TABLE git_commit (
    repo_id bigint NOT NULL,
    oid bytea NOT NULL,
    line int NOT NULL,
    pos int NOT NULL,
    tree bytea NOT NULL,
    parents bytea[] NOT NULL,
    author text NOT NULL,
    author_id bigint,
    created_at timestamptz NOT NULL,
    title text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (repo_id, oid),
    CONSTRAINT one_commit_per_place UNIQUE (repo_id, line, pos)
) PARTITION BY HASH (repo_id);
CREATE TABLE path_change (
    repo_id bigint NOT NULL,
    dir_key bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    line int NOT NULL,
    pos int NOT NULL,
    deleted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (repo_id, dir_key, name, line, pos)
) PARTITION BY HASH (repo_id);
"""


def partitions() -> str:
    """Sixty-four partitions of each big table; git data is deflated already, so keep it EXTERNAL."""
    return "".join(
        f"""
        CREATE TABLE git_object_{n:02} PARTITION OF git_object
            FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {n});
        ALTER TABLE git_object_{n:02} ALTER COLUMN data SET STORAGE EXTERNAL;
        CREATE TABLE git_commit_{n:02} PARTITION OF git_commit
            FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {n});
        CREATE TABLE path_change_{n:02} PARTITION OF path_change
            FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {n});
        """
        for n in range(PARTITIONS)
    )


class Migration(migrations.Migration):
    dependencies = [("hub", "0001_initial")]

    operations = [
        migrations.RunSQL(
            TABLES + partitions(),
            "DROP TABLE git_ref, git_line, git_object, git_commit, path_change;",
        ),
    ]
