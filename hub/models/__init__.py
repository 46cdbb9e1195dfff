"""Rows and constraints of repos, their history and their bytes."""

from hub.models.access import AccessRequest
from hub.models.attachment import Attachment, AttachmentUse
from hub.models.blob import Blob, PurgedFile, RepoBlob, UnnamedKey
from hub.models.card import RepoCard
from hub.models.collection import Collection, CollectionItem, Upvote
from hub.models.discussion import CommentVersion, Discussion, DiscussionEvent, Mention, Reaction
from hub.models.download import DownloadDay, DownloadSeen
from hub.models.event import Event
from hub.models.follow import Follow
from hub.models.history import GitCommit, GitLine, GitObject, GitRef, PathChange, PendingIndex
from hub.models.job import Job, JobEvent
from hub.models.like import Like
from hub.models.notification import Notification
from hub.models.protection import Approval, CommitStatus, Promotion, RefRule
from hub.models.publisher import SpentIdToken, TrustedPublisher
from hub.models.repo import Repo, RepoRedirect
from hub.models.scanning import Scan
from hub.models.webhook import Attempt, Delivery, Watch, Webhook
from hub.models.xet import (
    XetDedupChunk,
    XetDomain,
    XetFile,
    XetFileXorb,
    XetRepoFile,
    XetShard,
    Xorb,
    XorbDomain,
)
from teams.models import sql

__all__ = [
    "AccessRequest",
    "Approval",
    "Attachment",
    "AttachmentUse",
    "Attempt",
    "Blob",
    "Collection",
    "CollectionItem",
    "CommentVersion",
    "CommitStatus",
    "Delivery",
    "Discussion",
    "DiscussionEvent",
    "DownloadDay",
    "DownloadSeen",
    "Event",
    "Follow",
    "GitCommit",
    "GitLine",
    "GitObject",
    "GitRef",
    "Job",
    "JobEvent",
    "Like",
    "Mention",
    "Notification",
    "PathChange",
    "PendingIndex",
    "Promotion",
    "PurgedFile",
    "Reaction",
    "RefRule",
    "Repo",
    "RepoBlob",
    "RepoCard",
    "RepoRedirect",
    "Scan",
    "SpentIdToken",
    "TrustedPublisher",
    "UnnamedKey",
    "Upvote",
    "Watch",
    "Webhook",
    "XetDedupChunk",
    "XetDomain",
    "XetFile",
    "XetFileXorb",
    "XetRepoFile",
    "XetShard",
    "Xorb",
    "XorbDomain",
    "sql",
]
