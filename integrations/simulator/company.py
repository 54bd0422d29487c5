"""Builds the made-up company: the same seed, size and day give the same company, to the byte."""

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

from integrations.simulator.cast import CAST, FOUNDERS, TEAM_SPAN, Part, extra, team_of_extra
from integrations.simulator.dice import Dice, stable_id
from integrations.simulator.endings import LIST_KINDS, Endings
from integrations.simulator.oddities import apply_oddities
from integrations.simulator.records import House, Identity, employment_record
from integrations.simulator.vocabulary import ENTITIES, TEAMS, Record

_LETTERS_WITHOUT_PARTS = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "ß": "ss"})


@dataclass
class Company:
    """Everything the service knows about one customer. Records are replaced, never changed."""

    id: str
    name: str
    domain: str
    today: date
    seed: int
    strict: bool
    house: House
    owner: Identity
    employments: dict[str, Record]
    legal_entities: list[Record]
    departments: list[Record]
    managers: list[Record]
    custom_fields: list[Record]
    endings: Endings = field(default_factory=Endings)
    custom_values: dict[str, dict[str, object]] = field(default_factory=dict)

    def custom_values_of(self, employment_id: str) -> list[Record]:
        """The custom field values of one employment, set ones before made-up ones."""
        dice = Dice(self.seed, "custom", employment_id)
        given = self.custom_values.get(employment_id, {})
        size = dice.pick(("S", "M", "L", "XL"))
        made_up = {
            "T-shirt size": {"selected_option": size.lower(), "selected_option_label": size},
            "Cost centre": f"CC-{dice.between(100, 140)}",
            "Needs a laptop": dice.below(4) > 0,
            "Equipment budget": dice.between(5, 25) * 100,
            "Contract review": None,
        }
        return [
            {
                "custom_field_id": field_["id"],
                "name": field_["name"],
                "type": field_["type"],
                "value": given.get(field_["name"], made_up[field_["name"]]),
            }
            for field_ in self.custom_fields
        ]


def build_company(
    size: int,
    seed: int,
    today: date,
    domain: str = "acme.test",
    *,
    awkward: bool = True,
    strict: bool = False,
) -> Company:
    """A company of `size` employments whose dates are placed around `today`.

    `awkward` mixes in the shapes live answers have; `strict` keeps only those among them that
    satisfy the vendor's OpenAPI document. From a size of 30 every awkward shape is there.
    """
    company = _empty_company(seed, today, domain, strict=strict)
    parts = _parts(size, seed, plain=not awkward)
    people = _identities(parts, seed, domain)
    for index, part in enumerate(parts):
        boss = people[part.boss] if part.boss is not None and part.boss < size else None
        record = employment_record(
            company.house, index=index, part=part, who=people[index], boss=boss
        )
        if awkward:
            apply_oddities(
                record, seed=seed, index=index, part=part, owner=company.owner, strict=strict
            )
        company.employments[record["id"]] = record
        _announce_ending(company, record, part)
    return company


def make_identity(
    seed: int, *, key: object, full_name: str, mailbox: str, domain: str, user_key: object = None
) -> Identity:
    """The ids and addresses of one person; `user_key` names the user behind several employments."""
    return Identity(
        employment_id=stable_id(seed, "employment", key),
        user_id=stable_id(seed, "user", key if user_key is None else user_key),
        full_name=full_name,
        work_email=f"{mailbox}@{domain}",
        personal_email=f"{mailbox}@personal.example",
    )


def mailbox_of(full_name: str) -> str:
    """`Théo Lefèvre` becomes `theo.lefevre`."""
    folded = unicodedata.normalize("NFKD", full_name.translate(_LETTERS_WITHOUT_PARTS))
    plain = folded.encode("ascii", "ignore").decode().lower()
    return ".".join("".join(c for c in word if c.isalnum()) for word in plain.split())


def _parts(size: int, seed: int, *, plain: bool) -> list[Part]:
    written = list(CAST[:size])
    teams = [team_of_extra(seed, index) for index in range(len(CAST), size)]
    members: dict[str, list[int]] = {name: [FOUNDERS[name]] for name in FOUNDERS}
    for offset, team in enumerate(teams):
        members.setdefault(team, []).append(len(CAST) + offset)
    sizes = {name: len(rows) for name, rows in members.items()}
    seen = Counter(dict.fromkeys(FOUNDERS, 1))
    for offset, team in enumerate(teams):
        rank = seen[team]
        seen[team] += 1
        index = len(CAST) + offset
        boss = members[team][(rank - 1) // TEAM_SPAN] if rank else 0
        title = _title(seed, index, team, rank=rank, leads=rank * TEAM_SPAN + 1 < sizes[team])
        written.append(extra(seed, index, team=team, title=title, boss=boss))
    return [_without_oddity(part) for part in written] if plain else written


def _title(seed: int, index: int, team: str, *, rank: int, leads: bool) -> str:
    if rank == 0:
        return TEAMS[team].head
    return TEAMS[team].lead if leads else Dice(seed, "title", index).pick(TEAMS[team].titles)


def _without_oddity(part: Part) -> Part:
    if not part.oddity:
        return part
    values = {name: getattr(part, name) for name in Part.__slots__}
    boss = part.boss if part.boss_when_plain is None else part.boss_when_plain
    return Part(**values | {"oddity": "", "boss": boss})


def _identities(parts: list[Part], seed: int, domain: str) -> list[Identity]:
    taken: Counter[str] = Counter()
    people: list[Identity] = []
    for index, part in enumerate(parts):
        full_name = f"{part.given} {part.surname}"
        if part.same_as is not None:
            mailbox = people[part.same_as].work_email.partition("@")[0]
        else:
            mailbox = part.mailbox or mailbox_of(full_name)
            taken[mailbox] += 1
            mailbox += str(taken[mailbox]) if taken[mailbox] > 1 else ""
        people.append(
            make_identity(
                seed,
                key=index,
                full_name=full_name,
                mailbox=mailbox,
                domain=domain,
                user_key=part.same_as,
            )
        )
    return people


def _announce_ending(company: Company, record: Record, part: Part) -> None:
    ending = part.ending
    if ending is None or ending.kind not in LIST_KINDS:
        return
    last_day = company.today + timedelta(days=ending.days if ending.last_day is None
                                         else ending.last_day)  # fmt: skip
    company.endings.announce(
        record,
        kind=ending.kind,
        end=company.today + timedelta(days=ending.days),
        last_day=last_day,
        done=part.state == "archived",
        today=company.today - timedelta(days=10 + max(0, -ending.days)),
        seed=company.seed,
    )


def _empty_company(seed: int, today: date, domain: str, *, strict: bool) -> Company:
    company_id = stable_id(seed, "company")
    entity_ids = {country: stable_id(seed, "entity", country) for _, country in ENTITIES}
    department_ids = {name: stable_id(seed, "department", name) for name in TEAMS}
    owner = make_identity(
        seed, key="owner", full_name="Robin Ashford", mailbox="robin.ashford", domain=domain
    )
    assistant = make_identity(
        seed, key="admin", full_name="Sam Whitlock", mailbox="sam.whitlock", domain=domain
    )
    return Company(
        id=company_id,
        name="Acme",
        domain=domain,
        today=today,
        seed=seed,
        strict=strict,
        house=House(seed, company_id, today, entity_ids, department_ids),
        owner=owner,
        employments={},
        legal_entities=[
            {
                "id": entity_ids[country],
                "name": name,
                "country_code": country,
                "is_default": country == "USA",
                "global_payroll_enabled": country != "USA",
            }
            for name, country in ENTITIES
        ]
        + [_dormant_entity(seed)],
        departments=[
            {"company_id": company_id, "id": department_ids[name], "name": name} for name in TEAMS
        ],
        managers=[
            {
                "company_id": company_id,
                "role": role,
                "user_email": user.work_email,
                "user_id": user.user_id,
                "user_name": user.full_name,
            }
            for role, user in (("owner", owner), ("admin", assistant))
        ],
        custom_fields=_custom_fields(seed),
    )


def _dormant_entity(seed: int) -> Record:
    return {
        "id": stable_id(seed, "entity", "dormant"),
        "name": "Acme Holding",
        "country_code": None,
        "is_default": False,
        "global_payroll_enabled": False,
    }


def _custom_fields(seed: int) -> list[Record]:
    kinds = {
        "T-shirt size": "single_select",
        "Cost centre": "string",
        "Needs a laptop": "boolean",
        "Equipment budget": "integer",
        "Contract review": "date",
    }
    sizes = [{"value": size.lower(), "label": size} for size in ("S", "M", "L", "XL")]
    return [
        {
            "id": stable_id(seed, "custom_field", name),
            "name": name,
            "type": kind,
            "required": False,
            "data_entry_access": "company_admin_only",
            "visibility_scope": "everyone",
            "metadata": {"options": sizes} if kind == "single_select" else None,
        }
        for name, kind in kinds.items()
    ]
