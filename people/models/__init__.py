"""The directory's tables."""

from people.models.change import FieldOverride, PersonChange
from people.models.custom import CustomField
from people.models.lifecycle import LifecycleEvent
from people.models.listing import ListColumns, SavedView
from people.models.merge import PersonMerge
from people.models.organisation import (
    EmploymentType,
    LegalEntity,
    Role,
    Team,
    WorkerTypeMapping,
    Workspace,
)
from people.models.person import Person, PersonAlias
from people.models.proposal import FieldProposal
from people.models.source import FieldPolicy, SourceRecord

__all__ = [
    "CustomField",
    "EmploymentType",
    "FieldOverride",
    "FieldPolicy",
    "FieldProposal",
    "LegalEntity",
    "LifecycleEvent",
    "ListColumns",
    "Person",
    "PersonAlias",
    "PersonChange",
    "PersonMerge",
    "Role",
    "SavedView",
    "SourceRecord",
    "Team",
    "WorkerTypeMapping",
    "Workspace",
]
