"""A workflow's mail in an inbox that somebody else wrote: Sendria, read back by its own API.

The gate names its executable in SENDRIA; without it these tests fail, for a peer that quietly did
not run proves nothing.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from integrations.models import Delivery
from integrations.services import connection_save, connection_test
from people.models import Person
from siit_remote.lib import clock
from workflows.engine.service import run_due
from workflows.models import StepRun
from workflows.tests.engine import nodes
from workflows.tests.engine.conftest import DUE, END, person_make, workflow_make

pytestmark = [pytest.mark.peer, pytest.mark.django_db]
__all__ = ["person_make", "workflow_make"]
Make = Callable[..., Any]
BODY = "Hello {{ person.full_name }},\n\nyour last day is {{ person.end_date }}. <i>Thanks!</i>\n"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def sendria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """A running Sendria: the port it takes mail at, and the address of its inbox."""
    executable = os.environ.get("SENDRIA", "")
    assert executable, "Set SENDRIA to the path of sendria: this peer must be there."
    smtp_port, http_port = _free_port(), _free_port()
    folder: Path = tmp_path_factory.mktemp("sendria")
    process = subprocess.Popen(
        [
            executable,
            "--foreground",
            *("--db", str(folder / "mails.sqlite")),
            *("--smtp-ip", "127.0.0.1", "--smtp-port", str(smtp_port)),
            *("--http-ip", "127.0.0.1", "--http-port", str(http_port)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    url = f"http://127.0.0.1:{http_port}"
    try:
        ends = time.monotonic() + 20
        while True:
            assert process.poll() is None, "sendria ended at once."
            assert time.monotonic() < ends, "sendria did not come up."
            try:
                requests.get(f"{url}/api/messages/", timeout=1).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.1)
        yield smtp_port, url
    finally:
        process.terminate()
        process.wait(10)


def test_message_arrives_as_text_and_as_html(
    sendria: tuple[int, str], person_make: Make, workflow_make: Make
) -> None:
    nodes.install()
    port, url = sendria
    row = connection_save(
        key="mail",
        connector="smtp",
        config={
            "host": "127.0.0.1",
            "port": str(port),
            "security": "none",
            "from_email": "Acme <siit@example.com>",
        },
        secrets={},
    )
    assert connection_test(row).problems == ()
    person_make("ana", end_date=END)
    Person.objects.update(full_name="Ana <b>Lopez</b> & Ção")
    params = {"to": "person", "subject": "Goodbye, {{ person.full_name }}", "body": BODY}
    workflow_make("bye", steps=[{"key": "tell", "action": "message.send", "params": params}])
    with clock.fixed(DUE):
        run_due(now=DUE)
    step = StepRun.objects.get()
    assert step.status == StepRun.Status.DONE
    (mail,) = requests.get(f"{url}/api/messages/", timeout=5).json()["data"]
    assert mail["recipients_envelope"] == ["ana@acme.test"]
    assert mail["subject"] == "Goodbye, Ana <b>Lopez</b> & Ção"
    number = mail["id"]
    text = requests.get(f"{url}/api/messages/{number}.plain", timeout=5).content.decode()
    assert "Hello Ana <b>Lopez</b> & Ção," in text
    html = requests.get(f"{url}/api/messages/{number}.html", timeout=5).content.decode()
    assert "Hello Ana &lt;b&gt;Lopez&lt;/b&gt; &amp; Ção," in html
    assert "&lt;i&gt;Thanks!" in html
    sent = Delivery.objects.filter(operation="smtp.send").get()
    assert (sent.outcome, sent.run_id, sent.purpose) == ("ok", step.run_id, "Send a message")
