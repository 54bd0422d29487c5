"""An independent SCIM client that reads back what ours did; run by the peers' own Python.

``python scim_judge.py BASE TOKEN`` prints users and groups as scim2-client reads them, each answer
validated against what the standard and the server's own schemas say.
"""

import json
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient


def judge(base: str, token: str) -> dict[str, list[dict[str, object]]]:
    """Users and groups, validated."""
    client = Client(base_url=base, headers={"Authorization": f"Bearer {token}"})
    scim = SyncSCIMClient(client)
    scim.discover()
    found: dict[str, list[dict[str, object]]] = {}
    for kind in ("User", "Group"):
        listed = scim.query(scim.get_resource_model(kind))
        found[kind] = [one.model_dump(mode="json") for one in listed.resources or []]
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(judge(sys.argv[1], sys.argv[2])))
