"""What each mail sender posts about a mail, in the fields its documentation names, and its proof.

Values are ours; the shapes are the vendors':
https://developers.brevo.com/docs/transactional-webhooks
https://developers.mailersend.com/api/v1/webhooks.html
https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads
https://dev.mailjet.com/email/guides/webhooks/
https://postmarkapp.com/developer/webhooks/webhooks-overview
https://resend.com/docs/webhooks/event-types
https://developers.sparkpost.com/api/webhooks/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

TO = "ana@acme.test"
REASON = "550 5.1.1 <ana@acme.test>: user unknown"
AT = 1_793_606_400
"""2 Nov 2026, 08:00 UTC, in seconds."""
SVIX = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEYS = {
    "resend": SVIX,
    "mailgun": "signing-key",
    "mailersend": "signing-key",
}
"""What is entered as webhook key; for the others a name and a password."""
PASSWORD = "siit:long-password"
# What each vendor calls what happened to the mail.
NAMES: dict[str, dict[str, str]] = {
    "brevo": {"bounced": "hard_bounce", "refused": "blocked", "delivered": "delivered"},
    "mailersend": {
        "bounced": "hard_bounced",
        "complained": "spam_complaint",
        "delivered": "delivered",
    },
    "mailgun": {"bounced": "failed", "complained": "complained", "delivered": "delivered"},
    "mailjet": {"bounced": "bounce", "refused": "blocked", "delivered": "sent"},
    "postmark": {"bounced": "Bounce", "complained": "SpamComplaint", "delivered": "Delivery"},
    "resend": {
        "bounced": "email.bounced",
        "refused": "email.suppressed",
        "complained": "email.complained",
        "delivered": "email.delivered",
    },
    "sparkpost": {"bounced": "bounce", "refused": "policy_rejection", "delivered": "delivery"},
}


def _brevo(name: str, sent: str) -> Any:
    failed = name != "delivered"
    return {
        "event": name,
        "email": TO,
        "id": 26224,
        "date": "2026-11-02 09:00:00",
        "ts": AT + 3600,
        "message-id": sent,
        "ts_event": AT + 3600,
        "subject": "Welcome",
        "sending_ip": "192.0.2.9",
        "ts_epoch": AT * 1000,
        **({"reason": REASON} if failed else {}),
    }


def _mailersend(name: str, sent: str) -> Any:
    morph: dict[str, Any] | None = None
    if name == "hard_bounced":
        morph = {
            "object": "recipient_bounce",
            "type": "hard_bounce",
            "reason": REASON,
            "readable_reason": "No such user.",
        }
    elif name == "spam_complaint":
        morph = {"object": "spam_complaint", "reason": None}
    return {
        "type": f"activity.{name}",
        "domain_id": "d-1",
        "created_at": "2026-11-02T08:00:00.000000Z",
        "webhook_id": "w-1",
        "url": "https://siit.example.com/hooks/mail/mail/",
        "data": {
            "object": "activity",
            "id": "a-1",
            "type": name,
            "created_at": "2026-11-02T08:00:00.000000Z",
            "email": {
                "object": "email",
                "id": "e-1",
                "from": "siit@example.com",
                "subject": "Welcome",
                "status": "delivered" if name == "delivered" else "rejected",
                "tags": None,
                "message": {"object": "message", "id": sent},
                "recipient": {"object": "recipient", "id": "r-1", "email": TO},
            },
            "morph": morph,
            "template_id": "",
        },
    }


def _mailgun(name: str, sent: str) -> Any:
    data: dict[str, Any] = {
        "event": name,
        "id": "ev-1",
        "timestamp": AT + 0.25,
        "log-level": "info" if name == "delivered" else "error",
        "recipient": TO,
        "recipient-domain": "acme.test",
        "tags": [],
        "campaigns": [],
        "user-variables": {},
        "message": {
            "headers": {
                "to": TO,
                "message-id": sent.strip("<>"),
                "from": "siit@example.com",
                "subject": "Welcome",
            },
            "attachments": [],
            "size": 512,
        },
    }
    if name == "failed":
        data |= {
            "severity": "permanent",
            "reason": "bounce",
            "delivery-status": {"code": 550, "message": REASON, "attempt-no": 1},
        }
    return {"event-data": data}


def _mailjet(name: str, sent: str) -> Any:
    event: dict[str, Any] = {
        "event": name,
        "time": AT,
        "MessageID": int(sent),
        "Message_GUID": "1ab23cd4-e567-8901-2345-6789f0gh1i2j",
        "email": TO,
        "mj_campaign_id": 7276,
        "mj_contact_id": 320,
        "customcampaign": "",
        "CustomID": "",
        "Payload": "",
    }
    if name == "sent":
        event |= {"mj_message_id": sent, "smtp_reply": "sent (250 2.0.0 OK)"}
    else:
        event |= {"error_related_to": "recipient", "error": "user unknown"}
    if name == "bounce":
        event |= {"blocked": False, "hard_bounce": True, "comment": REASON}
    # Several events come in one call where it is set up so.
    return [event]


def _postmark(name: str, sent: str) -> Any:
    common = {"RecordType": name, "MessageID": sent, "ServerID": 23, "MessageStream": "outbound"}
    if name == "Delivery":
        return common | {
            "Recipient": TO,
            "DeliveredAt": "2026-11-02T08:00:00Z",
            "Details": "Test",
            "Tag": "",
            "Metadata": {},
        }
    bounced = name == "Bounce"
    return common | {
        "ID": 4323372036854775807,
        "Type": "HardBounce" if bounced else "SpamComplaint",
        "TypeCode": 1 if bounced else 512,
        "Name": "Hard bounce" if bounced else "Spam complaint",
        "Tag": "",
        "Description": "The server was unable to deliver your message.",
        "Details": REASON,
        "Email": TO,
        "From": "siit@example.com",
        "BouncedAt": "2026-11-02T08:00:00Z",
        "DumpAvailable": True,
        "Inactive": True,
        "CanActivate": True,
        "Subject": "Welcome",
        "Metadata": {},
    }


def _resend(name: str, sent: str) -> Any:
    data: dict[str, Any] = {
        "email_id": sent,
        "created_at": "2026-11-02T07:59:00.000Z",
        "from": "Acme <siit@example.com>",
        "to": [TO],
        "subject": "Welcome",
        "tags": {},
    }
    if name == "email.bounced":
        data["bounce"] = {"message": REASON, "subType": "General", "type": "Permanent"}
    if name == "email.suppressed":
        data["suppressed"] = {"message": "On the suppression list.", "type": "OnAccountList"}
    return {"type": name, "created_at": "2026-11-02T08:00:00.000Z", "data": data}


def _sparkpost(name: str, sent: str) -> Any:
    event: dict[str, Any] = {
        "type": name,
        "campaign_id": "",
        "customer_id": "1",
        "event_id": "92356927693813856",
        "friendly_from": "siit@example.com",
        "message_id": "000443ee14578172be22",
        "msg_from": "siit@example.com",
        "rcpt_meta": {},
        "rcpt_tags": [],
        "rcpt_to": TO,
        "raw_rcpt_to": TO,
        "routing_domain": "acme.test",
        "subject": "Welcome",
        "timestamp": str(AT),
        "transmission_id": sent,
    }
    if name == "bounce":
        event |= {"bounce_class": "10", "error_code": "550", "raw_reason": REASON, "reason": REASON}
    if name == "policy_rejection":
        event |= {"bounce_class": "25", "error_code": "550", "raw_reason": REASON, "reason": REASON}
    # It also pings with an event that holds nothing.
    return [{"msys": {"message_event": event}}, {"msys": {}}]


_SHAPES: dict[str, Callable[[str, str], Any]] = {
    "brevo": _brevo,
    "mailersend": _mailersend,
    "mailgun": _mailgun,
    "mailjet": _mailjet,
    "postmark": _postmark,
    "resend": _resend,
    "sparkpost": _sparkpost,
}


def key_of(provider: str) -> str:
    """What an admin enters as this provider's webhook key."""
    return KEYS.get(provider, PASSWORD)


def posted(
    provider: str, kind: str, *, sent: str, key: str = "", name: str = ""
) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of the call that tells ``kind`` of the mail ``sent``.

    ``key`` proves it (default: the right one); ``name``: the vendor's word instead of ``kind``'s.
    """
    said = _SHAPES[provider](name or NAMES[provider][kind], sent)
    return _proven(provider, said, key or key_of(provider))


def _proven(provider: str, said: Any, key: str) -> tuple[bytes, dict[str, str]]:
    now = str(int(time.time()))
    if provider == "mailgun":
        proof = hmac.new(key.encode(), f"{now}tok".encode(), hashlib.sha256).hexdigest()
        said = {"signature": {"timestamp": now, "token": "tok", "signature": proof}, **said}
    body = json.dumps(said).encode()
    if provider == "resend":
        secret = base64.b64decode(key.removeprefix("whsec_"))
        mac = hmac.new(secret, f"m1.{now}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(mac).decode()}"
        return body, {"svix-id": "m1", "svix-timestamp": now, "svix-signature": signature}
    if provider == "mailersend":
        return body, {"Signature": hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}
    if provider == "mailgun":
        return body, {}
    return body, {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}
