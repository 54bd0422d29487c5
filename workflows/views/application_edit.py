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
from people.identity import fields_hidden_from
from people.models import Person
from people.selectors import person_by_email
from siit_remote.access import may, require
from siit_remote.lib import clock
from siit_remote.lib.keys import key_from
from workflows.access.saving import ICONS, ApplicationValues, application_save
from workflows.access.should import directory_today, rule_fields
from workflows.conditions.masking import names_of
from workflows.designer.embedded import EmbeddedRule, rule_counts, rule_drawn, rule_edited
from workflows.designer.errors import EditRefusedError
from workflows.designer.matching import Directory
from workflows.designer.picks import MOST, PICKS
from workflows.document.shape import Data
from workflows.problems import DocumentError

_LEFT_OUT = frozenset({"person.apps"})
"""Who has an application cannot decide about who gets one: it would chase itself."""
_SEARCHED = ("person", "team", "entity", "country", "timezone", "employment_type")
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
    try:
        rule, _ = rule_edited(_lists(request), "save")
        _refuse_hidden(request, rule, found)
    except EditRefusedError as error:
        form.add_error(None, str(error))
        return _page(request, found, form, found.entitle if found else None, status=422)
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


def _lists(request: HttpRequest) -> dict[str, list[str]]:
    """The form, and what the button said in its address."""
    return {name: [str(value) for value in values] for name, values in request.POST.lists()} | {
        name: [str(value) for value in values] for name, values in request.GET.lists()
    }


@require_POST
@require("integrations.change_application")
def application_rule(request: HttpRequest, verb: str) -> HttpResponse:
    """One click in the rows of “who gets it”: drawn anew, nothing saved.

    Without scripts the whole page comes back, with everything that was typed.
    """
    key = request.POST.get("application", "")
    found = _known(key) if key else None
    focus, refused = "", ""
    values = _lists(request)
    try:
        rule, focus = rule_edited(values, "save" if verb == "counts" else verb)
        _refuse_hidden(request, rule, found)
    except EditRefusedError as error:
        refused = str(error)
        rule = found.entitle if found is not None else None
    if request.headers.get("HX-Request") != "true":
        form = _unsaved(request, found)
        if refused:
            messages.error(request, refused)
        return _page(request, found, form, rule)
    people = directory_today(clock.now())
    context: dict[str, Any] = {
        "rule": _drawn(request, rule, people),
        "rule_base": _rule_base(),
        "refused": refused,
    }
    if verb == "counts":
        told = not rule_fields(rule) & _unseen(request)
        context["counts"] = rule_counts(rule, people=people) if told else {}
        return render(request, "workflows/access/rule_counts.html", context)
    response = render(request, "workflows/access/rule.html", context)
    if focus:
        response["HX-Trigger-After-Swap"] = f'{{"rule-focus": "{focus}"}}'
    return response


def _rule_base() -> str:
    """What the rows' buttons put their verbs behind."""
    return reverse("application-rule", args=["save"]).removesuffix("save/")


def _unsaved(request: HttpRequest, found: Application | None) -> ApplicationForm:
    """What was typed, without complaints: nobody has asked to save yet."""
    names = ApplicationForm.base_fields
    initial: dict[str, Any] = {name: request.POST.get(name, "") for name in names}
    initial |= {name: name in request.POST for name in ("sensitive", "active")}
    return ApplicationForm(initial=initial, icon_now=found.icon if found else "")


def _unseen(request: HttpRequest) -> frozenset[str]:
    """Fields hidden from the account, as conditions call them."""
    return names_of(fields_hidden_from(request.user))


def _refuse_hidden(request: HttpRequest, rule: Data | None, found: Application | None) -> None:
    """Who may not see a field may not ask by it either: whom a rule fits would tell the value.

    A rule of somebody else's that asks for it stays as it is. Raises ``EditRefusedError``.
    """
    before = rule_fields(found.entitle) if found is not None else frozenset()
    if (rule_fields(rule) & _unseen(request)) - before:
        raise EditRefusedError("The rule asks for a field that is hidden from you.")
    if before & _unseen(request) and found is not None and rule != found.entitle:
        raise EditRefusedError(
            "The rule asks for a field that is hidden from you, so you cannot change the rule."
        )


def _drawn(request: HttpRequest, data: Data | None, people: Directory) -> EmbeddedRule:
    unseen = _unseen(request)
    told = None if rule_fields(data) & unseen else people
    return rule_drawn(data, people=told, leave_out=_LEFT_OUT | unseen)


def _page(
    request: HttpRequest,
    found: Application | None,
    form: ApplicationForm,
    data: Data | None,
    *,
    status: int = 200,
) -> HttpResponse:
    sizes = {"country": 300, "timezone": 700}
    may_see = may(request.user, "people.view_person")
    context = {
        "application": found,
        "form": form,
        "rule": _drawn(request, data, directory_today(clock.now())),
        "rule_base": _rule_base(),
        "lists": [
            (kind, PICKS[kind].found("", sizes.get(kind, MOST)))
            for kind in _SEARCHED
            if kind != "person" or may_see
        ],
    }
    return render(request, "workflows/access/application_edit.html", context, status=status)
