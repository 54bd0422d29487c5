"""What the service tells about one employment on request only: its job and its contract."""

from integrations.simulator.dice import stable_id
from integrations.simulator.records import country_object, seniority_of
from integrations.simulator.vocabulary import Record


def job_of(record: Record, *, seed: int) -> Record:
    """https://developer.remote.com/reference/get_show_employment_job"""
    title = record["job_title"] or "Unnamed job"
    level = seniority_of(title)
    track = "Management" if level in ("Executive", "Director", "Lead") else "Individual contributor"
    contractor = record["type"] == "contractor"
    return {
        "id": stable_id(seed, "job", title),
        "identifier": title.lower().replace(" ", "-"),
        "label": title,
        "code": None,
        "description": None,
        "job_family": {"id": stable_id(seed, "family", record["department"]),
                       "label": record["department"] or "None"},
        "job_sub_family": None,
        # Contractors have no grade.
        "job_level": None if contractor else {"id": stable_id(seed, "level", level),
                                              "label": level},
        "career_track": None if contractor else {"id": stable_id(seed, "track", track),
                                                 "label": track},
        "custom_field_values": [],
    }  # fmt: skip


def contract_of(record: Record) -> Record:
    """https://developer.remote.com/reference/get_index_employment_contract"""
    since = f"{record['provisional_start_date']}T00:00:00Z"
    ended = record["status"] == "archived"
    started = record["employment_lifecycle_stage"] in ("onboarded", "offboarded")
    return {
        "contract_id": record["active_contract_id"],
        "amendment_contract_id": None,
        "status": "inactive" if ended else "active" if started else "pending",
        "effective_at": since,
        "activated_at": since,
        "job_title": record["job_title"] or "",
        "country": record["country"] or country_object("USA"),
        "compensation": {"amount": None, "currency_code": None, "wage_type": "salary"},
        "contract_details": record["contract_details"] or {},
    }
