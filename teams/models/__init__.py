"""Rows and constraints of accounts."""

from teams.models.audit import AuditChain, AuditEntry
from teams.models.membership import Membership
from teams.models.namespace import Namespace
from teams.models.organisation import Organisation
from teams.models.token import AccessToken
from teams.models.user import User

__all__ = [
    "AccessToken",
    "AuditChain",
    "AuditEntry",
    "Membership",
    "Namespace",
    "Organisation",
    "User",
]
