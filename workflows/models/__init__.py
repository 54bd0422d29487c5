"""Definitions, runs, approvals, requests, tasks, templates."""

from workflows.models.approval import Approval, ApproverPolicy, Delegation
from workflows.models.message import MessageTemplate
from workflows.models.request import Request, Service
from workflows.models.run import Attempt, Run, StepRun
from workflows.models.task import Task
from workflows.models.workflow import Workflow, WorkflowVersion

__all__ = [
    "Approval",
    "ApproverPolicy",
    "Attempt",
    "Delegation",
    "MessageTemplate",
    "Request",
    "Run",
    "Service",
    "StepRun",
    "Task",
    "Workflow",
    "WorkflowVersion",
]
