"""Mail by a sender's API: django-anymail speaks each vendor's dialect, through the one door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import requests
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.core.exceptions import SuspiciousOperation
from django.core.mail import EmailMultiAlternatives
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from integrations.answers import raise_for_status
from integrations.connectors.base import (
    CONNECTORS,
    ConnectionSettings,
    OutgoingMessage,
    Setting,
    TestResult,
    Transport,
)
from integrations.connectors.identity import Ability
from integrations.connectors.inbound import Inbound
from integrations.connectors.mail_events import MailNews, news_of
from integrations.connectors.mail_providers import PROVIDERS, Provider
from integrations.errors import (
    ConfigError,
    PermanentError,
    RecipientRefusedError,
    UncertainError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest

    from integrations.connectors.base import HttpResponse

_TIMEOUT = 20.0
_REFUSED = frozenset({"rejected", "invalid", "failed"})
_TELLS_BY_ITSELF = frozenset({400, 404, 406, 422})
"""Refusals that anymail reads further: which recipient, and why."""


class _Door:
    """What anymail takes for a ``requests.Session``; every call goes through the transport."""

    def __init__(
        self, transport: Transport, *, key: str, keyed: bool, before_effect: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._key, self._keyed = key, keyed
        self._before_effect = before_effect

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send once. Raises ``IntegrationError`` for what is no answer about the message itself."""
        options.pop("timeout", None)
        prepared = requests.Request(method, url, **options).prepare()
        body = prepared.body
        headers = {
            name: value
            for name, value in prepared.headers.items()
            if name.lower() != "content-length"
        }
        if self._keyed:
            headers["Idempotency-Key"] = self._key
        self._before_effect()
        answer = self._transport.request(
            method,
            str(prepared.url),
            headers=headers,
            body=body.encode() if isinstance(body, str) else body,
            idempotency_key=self._key,
            timeout=_TIMEOUT,
        )
        if answer.status not in _TELLS_BY_ITSELF:
            raise_for_status(answer, what="sending the mail")
        return _as_response(answer, request=prepared)

    def close(self) -> None:
        """The transport is closed by whoever opened it."""


def _as_response(answer: HttpResponse, *, request: requests.PreparedRequest) -> requests.Response:
    made = requests.Response()
    made.status_code = answer.status
    made.headers.update(answer.headers)
    made._content = answer.body
    made.url = answer.url
    made.request = request
    return made


class MailApiClient:
    """Implements :class:`integrations.connectors.base.Messenger` for mail."""

    channel = "email"

    def __init__(
        self,
        transport: Transport,
        *,
        provider: Provider,
        config: Mapping[str, str],
        secrets: Mapping[str, str],
    ) -> None:
        self._transport = transport
        self._provider = provider
        self._config, self._secrets = config, secrets
        self._base_url = (config.get("base_url") or provider.base_url).rstrip("/") + "/"

    def test(self) -> TestResult:
        """Read something that only a valid key may read; no mail is sent."""
        path = self._provider.test_path.format(domain=self._config.get("domain", ""))
        answer = self._transport.request(
            "GET",
            urljoin(self._base_url, path),
            headers={
                "Accept": "application/json",
                **self._provider.headers(
                    self._secrets.get("api_key", ""), self._secrets.get("api_secret", "")
                ),
            },
            timeout=_TIMEOUT,
        )
        # A key of Resend's that may send and nothing else is a good one.
        if not (answer.status == 401 and b"restricted_api_key" in answer.body):
            raise_for_status(answer, what="checking the API key")
        problems = (
            ()
            if self._secrets.get("webhook_key")
            else ("Without a webhook key, bounces that come later are not heard of.",)
        )
        return TestResult(
            account={"name": self._provider.label, "from": self._config["from_email"]},
            problems=problems,
        )

    def send(
        self,
        message: OutgoingMessage,
        *,
        idempotency_key: str,
        before_effect: Callable[[], None],
    ) -> str:
        """Hand over one mail; returns the sender's own id of it, by which bounces name it."""
        if any(char in value for value in (message.to, message.subject) for char in "\r\n\0"):
            raise PermanentError("The address or subject holds a line break; no mail was sent.")
        mail = EmailMultiAlternatives(
            message.subject, message.text, self._config["from_email"], [message.to]
        )
        if message.html:
            mail.attach_alternative(message.html, "text/html")
        backend = self._provider.backend(**self._arguments())
        backend.session = _Door(
            self._transport,
            key=idempotency_key,
            keyed=self._provider.keyed,
            before_effect=before_effect,
        )
        try:
            backend.send_messages([mail])
        except AnymailRecipientsRefused:
            raise RecipientRefusedError(self._words("refuses this recipient")) from None
        except AnymailError as error:
            # Its own words quote the message and what was answered.
            status = getattr(error, "status_code", None)
            if status is not None and 200 <= status < 300:
                raise self._unreadable() from None
            raise PermanentError(
                self._words(f"refused the message ({status or type(error).__name__})"),
                status=status,
            ) from None
        except (ValueError, LookupError, TypeError, AttributeError):
            raise self._unreadable() from None
        found: Any = getattr(mail, "anymail_status", None)
        if found is None or (found.status or set()) & _REFUSED:
            raise RecipientRefusedError(self._words("refuses this recipient"))
        if not found.message_id:
            raise self._unreadable()
        return str(found.message_id)

    def _unreadable(self) -> UncertainError:
        return UncertainError(
            f"{self._provider.label} answered something that cannot be read: the mail may or may "
            "not have been taken. Look there, then settle this step."
        )

    def _words(self, what: str) -> str:
        return f"{self._provider.label} {what}: look there why, then correct it and try again."

    def _arguments(self) -> dict[str, str]:
        known = {**self._config, **self._secrets}
        return {
            self._provider.key: self._secrets.get("api_key", ""),
            "api_url": self._base_url,
            **{name: known.get(setting, "") for name, setting in self._provider.own.items()},
        }

    def abilities(self, capabilities: Mapping[str, Any]) -> tuple[Ability, ...]:
        """See :class:`~integrations.connectors.identity.TellsAbilities`."""
        return (
            Ability(words="send mail, as text and as HTML"),
            Ability(words="say at once when the sender refuses an address"),
            Ability(
                words="hear of bounces that come later",
                can=bool(self._secrets.get("webhook_key")),
                why="enter the webhook key under Settings, and the address below at the sender",
            ),
        )

    def news(self, request: HttpRequest) -> tuple[MailNews, ...] | None:
        """What a call from the sender tells of mails; ``None`` when it is not genuine.

        Proven by the sender's signature where it signs, else by the name and password that were
        entered there. Raises ``ValueError``, ``LookupError`` or ``TypeError`` for a body that
        cannot be read.
        """
        key = self._secrets.get("webhook_key", "")
        if not key:
            return None
        if self._provider.signs == "svix":
            # https://docs.svix.com/receiving/verifying-payloads/how – the scheme is the standard's.
            if not _svix_is_genuine(key, request):
                return None
            view = self._provider.hook(webhook_secret=key)
        else:
            view = self._provider.hook(**{self._provider.signs or "webhook_secret": key})
            try:
                view.run_validators(request)
            except SuspiciousOperation:
                return None
        return news_of(view.parse_events(request))


def _svix_is_genuine(key: str, request: HttpRequest) -> bool:
    headers = {
        f"webhook-{name}": request.headers.get(f"svix-{name}", "")
        for name in ("id", "timestamp", "signature")
    }
    try:
        Webhook(key).verify(request.body, headers)
    except (WebhookVerificationError, ValueError, TypeError):
        return False
    return True


@CONNECTORS.register
class MailApiConnector:
    """A service that sends mail by its API."""

    key = "mail-api"
    label = "Mail (sender's API)"
    category = "Mail"
    help = "Sends mail by Brevo, MailerSend, Mailgun, Mailjet, Postmark, Resend or SparkPost."
    icon = "mail"
    settings: tuple[Setting, ...] = (
        Setting(name="provider", label="Sender service", required=True, choices=tuple(PROVIDERS)),
        Setting(
            name="from_email", label="Sender", required=True, help="As Acme <siit@example.com>."
        ),
        Setting(name="domain", label="Sending domain", help="Mailgun only, as mg.example.com."),
        Setting(
            name="base_url",
            label="API address",
            help="For another region, as https://api.eu.mailgun.net/v3. Empty: the usual one.",
        ),
        Setting(name="api_key", label="API key", required=True, secret=True),
        Setting(name="api_secret", label="API secret", secret=True, help="Mailjet only."),
        Setting(
            name="webhook_key",
            label="Webhook key",
            secret=True,
            help="For bounces that come later: the signing key the service shows, or for Brevo, "
            "Mailjet, Postmark and SparkPost a name:password that its webhook address holds.",
        ),
    )

    inbound = (
        Inbound(
            label="Webhook for bounces",
            path="/hooks/mail/{key}/",
            help="Enter it at the sender, so that bounces which come later stand at the run.",
        ),
    )

    def client(self, settings: ConnectionSettings, transport: Transport) -> MailApiClient:
        """Bind to one connection."""
        provider = PROVIDERS.get(settings.config.get("provider", ""))
        if provider is None:
            raise ConfigError(f"provider must be one of {', '.join(PROVIDERS)}.")
        if "@" not in settings.config.get("from_email", ""):
            raise ConfigError("from_email is no usable e-mail address.")
        missing = [
            name
            for name in ("domain", "api_secret")
            if name in provider.own.values()
            and not {**settings.config, **settings.secrets}.get(name)
        ]
        if missing or not settings.secrets.get("api_key"):
            raise ConfigError(f"{provider.label} also needs: {', '.join(missing) or 'api_key'}.")
        return MailApiClient(
            transport, provider=provider, config=settings.config, secrets=settings.secrets
        )
