"""New settings or a new credential for a connection in use: tried first, then kept, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING

from integrations.errors import ConfigError
from integrations.models import Connection
from integrations.services import (
    client_for,
    connection_save,
    connection_test,
    other_company,
    settings_checked,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from integrations.connectors.base import TestResult

    Actor = AbstractBaseUser | AnonymousUser | None


def connection_replace(
    connection: Connection,
    *,
    name: str,
    config: Mapping[str, str],
    secrets: Mapping[str, str],
    actor: Actor,
) -> TestResult:
    """Test what was entered before anything is stored, then save it and test once more.

    Raises ``IntegrationError`` with nothing written at all: the old credential stays in use.
    """
    cleaned, all_secrets = settings_checked(connection, config=config, secrets=secrets)
    candidate = copy(connection)
    candidate.config = cleaned
    candidate.set_secrets(all_secrets)
    if candidate.status == Connection.Status.DISCONNECTED:
        candidate.status = Connection.Status.DRAFT
    refusal = other_company(connection, client_for(candidate).test())
    if refusal:
        raise ConfigError(refusal)
    saved = connection_save(
        key=connection.key,
        connector=connection.connector,
        name=name,
        config=config,
        secrets=secrets,
        actor=actor,
    )
    return connection_test(saved, actor=actor)
