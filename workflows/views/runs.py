"""The list of runs with its filters, and what is done to a selection of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from people.folding import fold
from people.models import Team
from siit_remote.lib import clock
from workflows.category_rights import Rights, rights_of
from workflows.models import Run, StepRun, Workflow
from workflows.runs import run_cancel, run_retry
from workflows.runs_again import runs_each
from workflows.views.rights import right_somewhere, runs_open

if TYPE_CHECKING:
    from collections.abc import Callable

_PAGE = 50
_MOST = 500
TABS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("open", "Open", (Run.Status.QUEUED, Run.Status.RUNNING, Run.Status.WAITING)),
    ("held", "Held", (Run.Status.HELD,)),
    ("failed", "Failed", (Run.Status.FAILED, Run.Status.DONE_WITH_ERRORS)),
    ("done", "Done", (Run.Status.DONE,)),
    ("dropped", "Cancelled", (Run.Status.CANCELLED, Run.Status.SUPERSEDED)),
)
_BROKEN = [StepRun.Status.FAILED, StepRun.Status.UNCERTAIN, StepRun.Status.RETRYING]


class RunsFilter(forms.Form):
    """What may stand in the address of the list. Anything that cannot be read is left out."""

    q = forms.CharField(required=False, max_length=200)
    workflow = forms.ModelChoiceField(
        Workflow.objects.order_by("name"),
        required=False,
        to_field_name="key",
        empty_label="Every workflow",
    )
    team = forms.ModelChoiceField(
        Team.objects.order_by("name"), required=False, empty_label="Every team"
    )
    version = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)
    due_from = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    due_to = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    late = forms.BooleanField(required=False)
    errors_only = forms.BooleanField(required=False)

    def __init__(self, *args: Any, rights: Rights, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = cast("forms.ModelChoiceField[Workflow]", self.fields["workflow"])
        choice.queryset = rights.open("view", Workflow.objects.order_by("name"))

    def chosen(self) -> dict[str, Any]:
        """The filters that were given and can be read."""
        self.full_clean()
        return {name: value for name, value in self.cleaned_data.items() if value}


def runs_found(chosen: dict[str, Any]) -> QuerySet[Run]:
    """Runs by the filters, newest first, without their large columns."""
    runs = Run.objects.select_related("workflow", "version", "person", "person__team")
    for word in fold(str(chosen.get("q", ""))).split():
        runs = runs.filter(
            Q(person__search_text__contains=word)
            | Q(person__full_name__icontains=word)
            | Q(person__work_email__icontains=word)
        )
    simple = {"workflow": "workflow", "team": "person__team", "version": "version__number",
              "late": "late"}  # fmt: skip
    for name, column in simple.items():
        if name in chosen:
            runs = runs.filter(**{column: chosen[name]})
    if "due_from" in chosen:
        runs = runs.filter(due_at__gte=_midnight(chosen["due_from"]))
    if "due_to" in chosen:
        runs = runs.filter(due_at__lt=_midnight(chosen["due_to"]) + timedelta(days=1))
    if "errors_only" in chosen:
        broken = StepRun.objects.filter(status__in=_BROKEN).values("run_id")
        runs = runs.filter(pk__in=broken)
    return runs.defer("snapshot", "trace")


def _midnight(day: date) -> datetime:
    if day >= date(9999, 12, 30):
        day = date(9999, 12, 30)
    return datetime.combine(day, time(), tzinfo=UTC)


@require_GET
@right_somewhere("view", "workflows.view_run")
def runs(request: HttpRequest) -> HttpResponse:
    """Runs, newest first, in tabs by state."""
    rights = rights_of(request.user)
    form = RunsFilter(request.GET, rights=rights)
    chosen = form.chosen()
    found = runs_open(request.user, runs_found(chosen))
    state = request.GET.get("state", "")
    shown = found
    for key, _, states in TABS:
        if key == state:
            shown = found.filter(status__in=states)
    page = Paginator(shown, _PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "workflows/runs.html",
        {
            "page": page,
            "tabs": _tabs(request, found, state),
            "may_run": rights.anywhere("run"),
            "form": form,
            "state": state,
            "filters": len([name for name in chosen if name != "q"]),
            "filtered": bool(chosen) or bool(state),
        },
    )


def _tabs(request: HttpRequest, found: QuerySet[Run], state: str) -> list[dict[str, Any]]:
    query = request.GET.copy()
    query.pop("page", None)
    tabs = []
    for key, label, states in [("", "All", ()), *TABS]:
        query["state"] = key
        tabs.append(
            {
                "label": label,
                "count": (found.filter(status__in=states) if states else found).count(),
                "url": f"?{query.urlencode()}",
                "current": key == state,
            }
        )
    return tabs


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAct:
    """One thing that can be done to a selection: in words, and whether it wants a reason."""

    verb: str
    question: str
    button: str
    danger: bool


BULK = {
    "retry": BulkAct(
        verb="tried again",
        question="Try the failed step of these runs again?",
        button="Try again",
        danger=False,
    ),
    "cancel": BulkAct(
        verb="cancelled",
        question="Cancel these runs? What is done stays done; nothing more is started.",
        button="Cancel the runs",
        danger=True,
    ),
}


class BulkForm(forms.Form):
    """A selection, what to do with it, and (once confirmed) why."""

    runs = forms.ModelMultipleChoiceField(
        Run.objects.select_related("workflow", "person").defer("snapshot", "trace")
    )
    act = forms.ChoiceField(choices=[(key, key) for key in BULK])
    reason = forms.CharField(required=False, max_length=300)
    confirmed = forms.BooleanField(required=False)
    next = forms.CharField(required=False, max_length=2000)


@require_POST
@right_somewhere("run")
def bulk(request: HttpRequest) -> HttpResponse:
    """Try again or cancel a selection: first asked, then carried out for each on its own."""
    form = BulkForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose runs, and what to do with them.")
        return redirect("runs")
    data = form.cleaned_data
    open_to = rights_of(request.user).open(
        "run", data["runs"], column="workflow__category", trigger="trigger"
    )
    selection = list(open_to[:_MOST])
    act = BULK[data["act"]]
    context = {"act": act, "key": data["act"], "selection": selection, "next": data["next"]}
    if not data["confirmed"]:
        return render(request, "workflows/runs_bulk.html", context)
    if not data["reason"].strip():
        context["problem"] = "Say why; the reason stays with each run."
        return render(request, "workflows/runs_bulk.html", context, status=422)
    report = runs_each(selection, _doing(request, data["act"], data["reason"]))
    if report.done:
        messages.success(request, f"{_count(len(report.done))} {act.verb}.")
    for run, why in report.refused[:10]:
        messages.error(request, f"{run.workflow.name} for {run.person}: {why}")
    if len(report.refused) > 10:
        messages.error(request, f"{len(report.refused) - 10} more could not be {act.verb}.")
    return redirect(_safe(request, data["next"]))


def _doing(request: HttpRequest, act: str, reason: str) -> Callable[[Run], None]:
    if act == "cancel":
        return partial(run_cancel, reason=reason, now=clock.now(), actor=request.user)
    return partial(run_retry, now=clock.now(), actor=request.user)


def _count(number: int) -> str:
    return "1 run is" if number == 1 else f"{number} runs are"


def _safe(request: HttpRequest, target: str) -> str:
    """Back to the list as it was filtered; nowhere else."""
    allowed = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return target if allowed and target.startswith("/runs/") else "runs"
