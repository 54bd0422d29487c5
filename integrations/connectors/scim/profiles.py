"""How known SCIM servers differ from the standard: data, not code.

A profile is chosen by the host of the base address, or by the admin. It holds only what
``/ServiceProviderConfig`` does not tell and the vendor documents; what it leaves open is found out
by asking, and everything is read back whatever a profile says.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorProfile:
    """The quirks of one vendor's SCIM server."""

    key: str
    label: str
    hosts: tuple[str, ...] = ()
    """Ends of host names that are this vendor's."""
    address_filters: tuple[str, ...] = ("userName", "emails.value")
    """Attributes that hold the work email, in the order in which they are searched."""
    replaces: bool = True
    """Whether PUT exists; where not, only PATCH is tried."""
    deactivates_by_delete: bool = False
    """Whether DELETE is documented to deactivate and to keep the account."""
    removes_members_by_value: bool = False
    """Whether a member is removed by path ``members`` with a value. Elsewhere that may empty the
    group, so that it is asked for only where the vendor documents it."""
    page: int = 100
    """The most entries a page may hold."""
    note: str = ""
    """What an admin should know before choosing SCIM for it."""


GENERIC = VendorProfile(key="generic", label="Any SCIM 2.0 server")

SLACK = VendorProfile(
    key="slack",
    label="Slack",
    # https://docs.slack.dev/reference/scim-api: userName is the handle, the address has a filter
    # of its own, and DELETE deactivates.
    hosts=("api.slack.com",),
    address_filters=("email", "userName"),
    deactivates_by_delete=True,
)

PROFILES: tuple[VendorProfile, ...] = (
    GENERIC,
    VendorProfile(
        key="okta",
        label="Okta",
        hosts=("okta.com", "oktapreview.com", "okta-emea.com"),
        note="Okta's own connection does more: it also ends sessions and assigns applications.",
    ),
    VendorProfile(
        key="entra",
        label="Microsoft Entra ID",
        # https://learn.microsoft.com/entra/identity/app-provisioning/entra-id-scim-api-reference:
        # /users and /groups know GET, POST, PATCH and DELETE, no PUT.
        hosts=("graph.microsoft.com", "microsoftgraph.chinacloudapi.cn"),
        address_filters=("userName",),
        replaces=False,
        note="Entra's SCIM tokens end within hours; its own connection renews them by itself.",
    ),
    VendorProfile(key="jumpcloud", label="JumpCloud", hosts=("jumpcloud.com",)),
    VendorProfile(
        key="google-bridge",
        label="Google Workspace through a SCIM bridge",
        note="Google Workspace has no SCIM server; a bridge answers in its place.",
    ),
    VendorProfile(
        key="aws",
        label="AWS IAM Identity Center",
        # https://docs.aws.amazon.com/singlesignon/latest/developerguide/limitations.html: filters
        # know eq alone. …/patchgroup.html: members are removed by value; groups know no PUT.
        hosts=("amazonaws.com",),
        address_filters=("userName",),
        removes_members_by_value=True,
    ),
    SLACK,
)


def profile_for(base_url: str, chosen: str = "") -> VendorProfile:
    """The profile that the admin chose, else the one of the host, else the generic one."""
    for profile in PROFILES:
        if profile.key == chosen:
            return profile
    try:
        host = (urlsplit(base_url).hostname or "").lower()
    except ValueError:
        return GENERIC
    for profile in PROFILES:
        if any(host == end or host.endswith(f".{end}") for end in profile.hosts):
            return profile
    return GENERIC
