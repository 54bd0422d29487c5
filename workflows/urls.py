"""Addresses of workflows, runs and the work that waits for people."""

from django.urls import path

from workflows.views import actions, approval, imports, request, run, task, workflow

urlpatterns = [
    path("workflows/", workflow.workflows, name="workflows"),
    path("workflows/<slug:key>/", workflow.workflow, name="workflow"),
    path("workflows/<slug:key>/document.yaml", workflow.document, name="workflow-document"),
    path("workflows/<slug:key>/publish/", actions.publish, name="workflow-publish"),
    path("workflows/<slug:key>/act/<slug:verb>/", actions.act, name="workflow-act"),
    path("import-workflow/", imports.import_document, name="workflow-import"),
    path("runs/", run.runs, name="runs"),
    path("runs/<int:pk>/", run.run, name="run"),
    path("runs/<int:pk>/retry/", actions.retry, name="run-retry"),
    path("runs/<int:pk>/release/", actions.release, name="run-release"),
    path("runs/<int:pk>/cancel/", actions.cancel, name="run-cancel"),
    path("steps/<int:pk>/resolve/", actions.resolve, name="step-resolve"),
    path("approvals/", approval.approvals, name="approvals"),
    path("approvals/<int:pk>/", approval.approval, name="approval"),
    path("approvals/<int:pk>/decide/", approval.decide, name="approval-decide"),
    path("tasks/", task.tasks, name="tasks"),
    path("tasks/<int:pk>/", task.task, name="task"),
    path("tasks/<int:pk>/done/", task.done, name="task-done"),
    path("requests/", request.requests, name="requests"),
    path("requests/new/<slug:service>/", request.request_new, name="request-new"),
    path("requests/<int:pk>/", request.request_page, name="request"),
]
