"""Definitions, runs, approvals, requests, tasks, templates."""

from workflows.models.approval import Approval, ApproverPolicy
from workflows.models.callback import Callback
from workflows.models.category import CategoryRights
from workflows.models.chat import ChatMessage
from workflows.models.delegation import Absence, Delegation
from workflows.models.hold import Hold
from workflows.models.message import MessageTemplate
from workflows.models.recovery import Installation, RecoveryHold
from workflows.models.refusal import Refusal
from workflows.models.request import Request, RequestNote, Service
from workflows.models.run import Attempt, Run, StepRun
from workflows.models.seen import CalendarFeed, ForecastSnapshot
from workflows.models.shipment import Shipment, ShipmentEvent
from workflows.models.task import Task, TaskNote
from workflows.models.workflow import DraftState, Workflow, WorkflowVersion

__all__ = [
    "Absence",
    "Approval",
    "ApproverPolicy",
    "Attempt",
    "CalendarFeed",
    "Callback",
    "CategoryRights",
    "ChatMessage",
    "Delegation",
    "DraftState",
    "ForecastSnapshot",
    "Hold",
    "Installation",
    "MessageTemplate",
    "RecoveryHold",
    "Refusal",
    "Request",
    "RequestNote",
    "Run",
    "Service",
    "Shipment",
    "ShipmentEvent",
    "StepRun",
    "Task",
    "TaskNote",
    "Workflow",
    "WorkflowVersion",
]
