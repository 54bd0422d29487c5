"""Pages of workflows, runs, approvals, tasks and requests."""
