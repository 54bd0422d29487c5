"""Change an application; who gets it is edited by the rows of the workflow designer."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from integrations.access_calls import place_of
from integrations.models import Application, Connection
from people.models import Person
from people.selectors import person_by_email
from siit_remote.access import require
from siit_remote.lib.keys import key_from
from workflows.access.saving import ICONS, ApplicationValues, application_save
from workflows.designer.picks import PICKS
from workflows.document.shape import Data
from workflows.problems import DocumentError
from workflows.views.rule_rows import rows_answer, rows_clicked, rows_context

_LEFT_OUT = frozenset({"person.apps"})
"""Who has an application cannot decide about who gets one: it would chase itself."""
_RULE_WORDS = {
    "title": "Who gets it",
    "nobody": "Nobody by rule: it is given by request, or by hand.",
    "everybody": "No rule: nobody gets it by itself",
    "choose": "Give it by rule",
}
_WAYS = (
    ("task", "By hand: its owner gets a task"),
    ("group", "By a group at the identity provider"),
    ("app", "As an application assigned at the identity provider (Okta)"),
    ("account", "By an account of its own at the connection"),
    ("http", "By a signed call to an endpoint"),
)
_IN_BRACKETS = re.compile(r"\(([^()\s]+@[^()\s]+)\)\s*$")


def field_words(name: str) -> str:
    """“message-square” → “Message square”."""
    return name.replace("-", " ").capitalize()


class ApplicationForm(forms.Form):
    """Everything about an application but who gets it."""

    name = forms.CharField(max_length=200, label="Name")
    key = forms.SlugField(
        max_length=60,
        required=False,
        label="Key",
        help_text="Its name in documents; made from the name if empty. It cannot be changed later.",
    )
    description = forms.CharField(
        max_length=2000, required=False, label="What it is for, in a sentence"
    )
    category = forms.CharField(max_length=60, required=False, label="Category")
    icon = forms.ChoiceField(required=False, label="Icon")
    owner = forms.CharField(
        max_length=300,
        required=False,
        label="Owner",
        help_text="Gets the tasks, sees and mends who has it, and is told before access ends. "
        "Name or work email.",
    )
    provision_by = forms.ChoiceField(choices=_WAYS, label="How it is given")
    connection = forms.ModelChoiceField(
        Connection.objects.none(),
        required=False,
        to_field_name="key",
        empty_label="None",
        label="Connection",
        help_text="Not needed where it is given by hand.",
    )
    place = forms.CharField(
        max_length=200,
        required=False,
        label="Group or application there",
        help_text="What the group, or the application that is assigned, is called at the "
        "connection. A group is made if it is missing; an application has to be there.",
    )
    sensitive = forms.BooleanField(required=False, label="Sensitive")
    active = forms.BooleanField(required=False, label="In use")

    def __init__(self, *args: Any, icon_now: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        names = dict.fromkeys([*ICONS, *([icon_now] if icon_now else [])])
        icons = forms.ChoiceField(
            required=False,
            label="Icon",
            choices=[("", "Plain"), *((name, field_words(name)) for name in names)],
        )
        self.fields["icon"] = icons
        connection = self.fields["connection"]
        if isinstance(connection, forms.ModelChoiceField):
            connection.queryset = Connection.objects.exclude(
                status=Connection.Status.DISCONNECTED
            ).order_by("name")

    def clean_owner(self) -> Person | None:
        """The person, by the address in brackets, the address, or a name that one person has."""
        text = str(self.cleaned_data.get("owner", "")).strip()
        if not text:
            return None
        inside = _IN_BRACKETS.search(text)
        found = person_by_email(inside[1] if inside else PICKS["person"].key_of(text))
        if found is None:
            raise forms.ValidationError("Nobody is called that. Choose a person from the list.")
        return found


@require_http_methods(["GET", "POST"])
@require("integrations.add_application")
def application_new(request: HttpRequest) -> HttpResponse:
    """A new application."""
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
@require("integrations.change_application")
def application_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change an application."""
    return _edit(request, _known(key))


def _known(key: str) -> Application:
    return get_object_or_404(Application.objects.select_related("owner", "connection"), key=key)


def _edit(request: HttpRequest, found: Application | None) -> HttpResponse:
    if request.method == "GET":
        data = found.entitle if found is not None else None
        return _page(request, found, _form(found), data)
    form = ApplicationForm(request.POST, icon_now=found.icon if found else "")
    clicked = rows_clicked(request, "save", stored=found.entitle if found else None)
    rule = clicked.data
    if clicked.refused:
        form.add_error(None, clicked.refused)
    if not form.is_valid():
        return _page(request, found, form, rule, status=422)
    try:
        saved = application_save(
            _values(form.cleaned_data, found, rule), new=found is None, actor=request.user
        )
    except DocumentError as error:
        for problem in error.problems:
            if not problem.path.startswith("conditions"):
                form.add_error(
                    problem.path if problem.path in form.fields else None, problem.message
                )
        return _page(request, found, form, rule, status=422)
    messages.success(request, f"{saved} is saved.")
    return redirect("application", key=saved.key)


def _form(found: Application | None) -> ApplicationForm:
    if found is None:
        return ApplicationForm(initial={"provision_by": "task", "active": True})
    owner = PICKS["person"].labels([found.owner.work_email]) if found.owner else {}
    return ApplicationForm(
        icon_now=found.icon,
        initial={
            "name": found.name,
            "key": found.key,
            "description": found.description,
            "category": found.category,
            "icon": found.icon,
            "owner": next(iter(owner.values()), ""),
            "provision_by": found.provision_by,
            "connection": found.connection.key if found.connection else "",
            "place": place_of(found),
            "sensitive": found.sensitive,
            "active": found.active,
        },
    )


def _values(
    cleaned: dict[str, Any], found: Application | None, rule: Data | None
) -> ApplicationValues:
    return ApplicationValues(
        key=found.key if found else cleaned["key"] or key_from(cleaned["name"], kind="app"),
        name=cleaned["name"],
        description=cleaned["description"],
        category=cleaned["category"].strip(),
        icon=cleaned["icon"],
        owner=cleaned["owner"],
        connection=cleaned["connection"],
        provision_by=cleaned["provision_by"],
        place=cleaned["place"].strip(),
        entitle=rule,
        sensitive=cleaned["sensitive"],
        active=cleaned["active"],
    )


@require_POST
@require("integrations.change_application")
def application_rule(request: HttpRequest, verb: str) -> HttpResponse:
    """One click in the rows of “who gets it”: drawn anew, nothing saved.

    Without scripts the whole page comes back, with everything that was typed.
    """
    key = request.POST.get("application", "")
    found = _known(key) if key else None
    clicked = rows_clicked(request, verb, stored=found.entitle if found is not None else None)
    if request.headers.get("HX-Request") == "true":
        return rows_answer(request, verb, clicked, _rule(request, clicked.data))
    if clicked.refused:
        messages.error(request, clicked.refused)
    return _page(request, found, _unsaved(request, found), clicked.data)


def _rule(request: HttpRequest, data: Data | None) -> dict[str, Any]:
    """The card of the rule; its buttons put their verbs behind the base."""
    base = reverse("application-rule", args=["save"]).removesuffix("save/")
    context = rows_context(request, data, base=base, leave_out=_LEFT_OUT)
    return context | {"rule_words": _RULE_WORDS}


def _unsaved(request: HttpRequest, found: Application | None) -> ApplicationForm:
    """What was typed, without complaints: nobody has asked to save yet."""
    names = ApplicationForm.base_fields
    initial: dict[str, Any] = {name: request.POST.get(name, "") for name in names}
    initial |= {name: name in request.POST for name in ("sensitive", "active")}
    return ApplicationForm(initial=initial, icon_now=found.icon if found else "")


def _page(
    request: HttpRequest,
    found: Application | None,
    form: ApplicationForm,
    data: Data | None,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {"application": found, "form": form, **_rule(request, data)}
    return render(request, "workflows/access/application_edit.html", context, status=status)
