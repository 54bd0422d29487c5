"""Submit a request for somebody, as the portal does."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand
from siit_remote.management.lookup import person_or_refuse
from workflows.engine.service import run_due
from workflows.models import Approval, Service
from workflows.problems import DocumentError
from workflows.requests import request_submit

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """Stores the request and carries out what it sets off."""

    help = "Submit a request; the workflows bound to it run at once."
    example = "manage.py submit_request --service laptop --requester ana@example.com --set model=X1"
    time_travel = True

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Service, requester, fields."""
        parser.add_argument("--service", required=True, metavar="KEY")
        parser.add_argument("--requester", required=True, metavar="EMAIL")
        parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")

    def perform(self, **options: Any) -> dict[str, Any]:
        """The request's id, its status and who is asked."""
        service = _service(options["service"])
        requester = person_or_refuse(options["requester"])
        now = clock.now()
        try:
            request = request_submit(
                service=service, requester=requester, form=_fields(options["set"]), now=now
            )
        except DocumentError as error:
            self.refuse(str(error))
        run_due(now=now)
        request.refresh_from_db()
        asked = Approval.objects.filter(step__run__request=request).select_related("approver")
        return {
            "request": request.pk,
            "status": request.status,
            "approvals": [
                {"id": item.pk, "approver": item.approver.work_email, "status": item.status}
                for item in asked
            ],
        }

    def present(self, document: dict[str, Any]) -> None:
        """One line, then who is asked."""
        self.stdout.write(f"Request {document['request']}: {document['status']}")
        for item in document["approvals"]:
            self.stdout.write(f"    approval {item['id']}: {item['approver']} ({item['status']})")


def _service(key: str) -> Service:
    found = Service.objects.filter(key=key).first()
    if found is None:
        near = get_close_matches(key, list(Service.objects.values_list("key", flat=True)), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise CommandError(f"There is no service “{key}”.{hint}")
    return found


def _fields(pairs: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise CommandError(f"--set takes FIELD=VALUE, not “{pair}”.", returncode=2)
        values[name.strip()] = value
    return values
