"""Rows and constraints of accounts."""

from teams.models.audit import AuditChain, AuditEntry
from teams.models.device_code import DeviceCode
from teams.models.grant import Grant, Reach, ResourceGroup, Team, TeamMember
from teams.models.invitation import Invitation
from teams.models.mail import Mail
from teams.models.membership import Membership
from teams.models.namespace import Namespace
from teams.models.organisation import Organisation
from teams.models.sso import IdentityProvider, SsoIdentity
from teams.models.token import AccessToken, TokenScope
from teams.models.token_review import TokenPolicy, TokenReview
from teams.models.user import User

__all__ = [
    "AccessToken",
    "AuditChain",
    "AuditEntry",
    "DeviceCode",
    "Grant",
    "IdentityProvider",
    "Invitation",
    "Mail",
    "Membership",
    "Namespace",
    "Organisation",
    "Reach",
    "ResourceGroup",
    "SsoIdentity",
    "Team",
    "TeamMember",
    "TokenPolicy",
    "TokenReview",
    "TokenScope",
    "User",
]
