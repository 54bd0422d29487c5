"""Addresses of workflows, runs and the work that waits for people."""

from django.urls import path

from workflows.views import approval, request, run, task, workflow

urlpatterns = [
    path("workflows/", workflow.workflows, name="workflows"),
    path("workflows/<slug:key>/", workflow.workflow, name="workflow"),
    path("workflows/<slug:key>/document.yaml", workflow.document, name="workflow-document"),
    path("runs/", run.runs, name="runs"),
    path("runs/<int:pk>/", run.run, name="run"),
    path("approvals/", approval.approvals, name="approvals"),
    path("approvals/<int:pk>/", approval.approval, name="approval"),
    path("tasks/", task.tasks, name="tasks"),
    path("tasks/<int:pk>/", task.task, name="task"),
    path("requests/", request.requests, name="requests"),
    path("requests/<int:pk>/", request.request_page, name="request"),
]
