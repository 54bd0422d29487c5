"""The five roles and exactly what each may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from siit_remote.audit.services import record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AbstractBaseUser, User

OWNER: Final = "Owner"
HR_ADMIN: Final = "HR admin"
IT_STAFF: Final = "IT staff"
MANAGER: Final = "Manager"
EMPLOYEE: Final = "Employee"

STAFF_ROLES: Final = frozenset({OWNER, HR_ADMIN, IT_STAFF})
"""Roles that may open the site admin."""

_VIEW_PEOPLE = (
    "people.view_person people.view_personalias people.view_legalentity people.view_team "
    "people.view_role people.view_employmenttype people.view_workertypemapping"
)
_VIEW_WORK = (
    "workflows.view_workflow workflows.view_workflowversion workflows.view_run "
    "workflows.view_steprun workflows.view_attempt workflows.view_task workflows.view_service "
    "workflows.view_request"
)
_SELF = "workflows.view_service workflows.add_request"

_HR = f"""
{_VIEW_PEOPLE} {_VIEW_WORK} {_SELF}
people.view_private_fields people.view_raw_payload people.export_people people.change_person
people.view_workspace people.change_workspace
people.add_legalentity people.change_legalentity people.delete_legalentity
people.add_team people.change_team people.delete_team
people.add_role people.change_role people.delete_role
people.add_employmenttype people.change_employmenttype people.delete_employmenttype
people.add_workertypemapping people.change_workertypemapping people.delete_workertypemapping
people.view_customfield people.add_customfield people.change_customfield people.view_fieldproposal
people.view_fieldpolicy people.change_fieldpolicy
people.view_fieldoverride people.add_fieldoverride people.change_fieldoverride
people.delete_fieldoverride people.view_sourcerecord people.view_personchange
people.view_lifecycleevent
integrations.view_connection integrations.add_connection integrations.change_connection
integrations.view_syncrun integrations.change_syncrun integrations.view_delivery
integrations.view_incident integrations.view_webhooksubscription integrations.view_webhookreceipt
integrations.view_application integrations.add_application integrations.change_application
integrations.delete_application integrations.view_appaccess integrations.change_appaccess
integrations.view_accessevent integrations.view_accessreading integrations.view_reportedaccess
integrations.view_account
integrations.view_bundle integrations.add_bundle integrations.change_bundle
integrations.delete_bundle
workflows.add_workflow workflows.change_workflow workflows.publish_workflow workflows.run_workflow
workflows.release_hold
workflows.view_approval workflows.reassign_approval workflows.submit_for_others
workflows.view_approverpolicy workflows.add_approverpolicy workflows.change_approverpolicy
workflows.delete_approverpolicy
workflows.view_delegation workflows.add_delegation workflows.change_delegation
workflows.delete_delegation
workflows.view_messagetemplate workflows.add_messagetemplate workflows.change_messagetemplate
workflows.delete_messagetemplate
workflows.add_service workflows.change_service workflows.view_categoryrights
workflows.change_task
workflows.view_shipment workflows.change_shipment workflows.see_address
audit.view_auditentry
"""

_IT = f"""
{_VIEW_PEOPLE} {_VIEW_WORK} {_SELF}
integrations.view_connection integrations.view_syncrun integrations.view_delivery
integrations.view_incident integrations.view_webhooksubscription integrations.view_webhookreceipt
integrations.view_application integrations.add_application integrations.change_application
integrations.view_appaccess integrations.change_appaccess integrations.view_account
integrations.view_accessevent integrations.view_accessreading integrations.view_reportedaccess
integrations.view_bundle integrations.add_bundle integrations.change_bundle
workflows.run_workflow workflows.change_task
workflows.view_shipment workflows.change_shipment workflows.see_address
"""

PERMISSIONS: Final[dict[str, frozenset[str]]] = {
    # Users are the Owner's alone, or a role could give itself another.
    OWNER: frozenset(
        f"""{_HR} {_IT} integrations.delete_connection workflows.change_categoryrights
        auth.view_user auth.add_user auth.change_user auth.view_group""".split()
    ),
    HR_ADMIN: frozenset(_HR.split()),
    IT_STAFF: frozenset(_IT.split()),
    MANAGER: frozenset(f"{_SELF} workflows.view_approval".split()),
    EMPLOYEE: frozenset(_SELF.split()),
}


def roles_set_up() -> dict[str, int]:
    """Create or mend the five groups; returns each role's number of permissions.

    Raises ``ValueError`` naming permissions that do not exist, before anything is written.
    """
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    missing = sorted(set().union(*PERMISSIONS.values()) - known.keys())
    if missing:
        raise ValueError(f"Unknown permissions: {', '.join(missing)}. Run `migrate` first.")
    counts = {}
    with transaction.atomic():
        for role, names in PERMISSIONS.items():
            group, _ = Group.objects.get_or_create(name=role)
            wanted = {known[name] for name in names}
            if set(group.permissions.all()) != wanted:
                group.permissions.set(wanted)
                record("role.changed", object_type="role", object_key=role, object_label=role)
            counts[role] = len(wanted)
    return counts


def staff_flag_set(user: User) -> None:
    """Make ``is_staff`` follow from the roles of ``user``; a superuser keeps it."""
    is_staff = user.is_superuser or user.groups.filter(name__in=STAFF_ROLES).exists()
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])


def user_roles_set(
    user: User, *, roles: Iterable[str], actor: AbstractBaseUser | None = None
) -> None:
    """Give ``user`` exactly these roles. Raises ``ValueError`` for a role that does not exist."""
    wanted = set(roles)
    groups: list[Any] = list(Group.objects.filter(name__in=wanted))
    unknown = sorted(wanted - {group.name for group in groups})
    if unknown:
        raise ValueError(f"Unknown role: {', '.join(unknown)}. Known: {', '.join(PERMISSIONS)}.")
    with transaction.atomic():
        user.groups.set(groups)
        staff_flag_set(user)
        record(
            "role.changed",
            actor=actor,
            object_type="user",
            object_key=user.get_username(),
            object_label=user.get_username(),
            detail={"roles": sorted(wanted)},
        )


def role_of(user: Any) -> str:
    """The first of the user's roles, in words for the shell."""
    if user.is_superuser:
        return OWNER
    names = set(user.groups.values_list("name", flat=True))
    return next((role for role in PERMISSIONS if role in names), "")
