"""Who works at the made-up company: thirty written parts, then as many extras as wanted.

The written parts are the people the demo names and one person for every lifecycle and every
oddity of the live service. Days are counted from the `today` the company is built for.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from integrations.simulator.dice import Dice
from integrations.simulator.vocabulary import ENTITY_COUNTRIES, PLACES, TEAMS

TEAM_SPAN = 7
LEAP_YEARS = (1980, 1984, 1988, 1992, 1996)  # so that a birthday on 29 February can be placed


@dataclass(frozen=True, slots=True)
class Ending:
    """How and when a working relation ends; `days` from today, `last_day` where it differs."""

    kind: str
    days: int
    last_day: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One employment before it becomes a record."""

    given: str
    surname: str
    title: str
    team: str
    country: str
    kind: str  # eor | payroll | hris | standard | plus | cor
    start: int
    boss: int | None = 0
    mailbox: str | None = None
    birthday_in: int | None = None
    birthdate: date | None = None
    state: str = "active"
    ending: Ending | None = None
    same_as: int | None = None
    oddity: str = ""
    boss_when_plain: int | None = None


# The first eight fill the smallest demo; every oddity has appeared by the thirtieth.
CAST: tuple[Part, ...] = (
    Part("Amelia", "Hart", "Chief Executive Officer", "Executive", "USA", "hris", -3100, None),
    Part("Grace", "Okoye", "Head of People", "People", "USA", "hris", -2400, mailbox="hr-admin"),
    Part("Marcus", "Lindqvist", "IT Lead", "IT", "GBR", "payroll", -1900, mailbox="it-lead"),
    Part("Juliette", "Caron", "HR lead France", "People", "FRA", "payroll", -1500, 1,
         mailbox="french-hr-lead"),
    Part("Daniel", "Osei", "VP Engineering", "Engineering", "GBR", "payroll", -1700,
         mailbox="manager"),
    Part("Nina", "Castellano", "Software Engineer", "Engineering", "PRT", "eor", -640, 4,
         mailbox="employee", birthday_in=2),
    Part("Théo", "Masson", "Data Engineer", "Engineering", "FRA", "payroll", -420, 4,
         mailbox="french-employee"),
    Part("Aiko", "Hayashi", "Product Designer", "Design", "JPN", "payroll", 3, 4),
    Part("Bruno", "Salgado", "Senior Software Engineer", "Engineering", "BRA", "eor", 1, 4,
         state="invited"),
    Part("Kavya", "Raman", "QA Engineer", "Engineering", "IND", "eor", -510, 4, birthday_in=1),
    Part("Owen", "Pritchard", "Account Executive", "Sales", "CAN", "eor", -800,
         state="offboarding", ending=Ending("resignation", 5)),
    Part("Irina", "Kowalczyk", "Financial Analyst", "Finance", "POL", "eor", -700,
         state="offboarding", ending=Ending("confidential", 9)),
    Part("Lukas", "Reinhardt", "Support Engineer", "Customer Success", "DEU", "payroll", -1200,
         state="offboarding", ending=Ending("direct", 14, 7)),
    Part("Adaeze", "Nwankwo", "Growth Marketer", "Marketing", "NGA", "cor", -300,
         ending=Ending("cor", 21)),
    Part("Pablo", "Requena", "Brand Designer", "Marketing", "ESP", "standard", -260,
         ending=Ending("service", 12)),
    Part("Rui", "Tavares", "Implementation Consultant", "Customer Success", "PRT", "eor", -340,
         ending=Ending("fixed", 30)),
    Part("Maya", "Tremaine", "Data Engineer", "Engineering", "CAN", "standard", -500, 4,
         state="archived", ending=Ending("service", -95)),
    Part("Maya", "Tremaine", "Data Engineer", "Engineering", "CAN", "eor", -90, 4, same_as=16),
    Part("Felix", "Brandauer", "Account Executive", "Sales", "DEU", "eor", -1600,
         state="archived", ending=Ending("resignation", -600)),
    Part("Felix", "Brandauer", "Senior Account Executive", "Sales", "DEU", "eor", -60, same_as=18),
    Part("Harriet", "Doyle", "People Partner", "People", "GBR", "payroll", -1300, 1,
         state="archived", ending=Ending("direct", -20, -25)),
    Part("Dev", "Malhotra", "Product Analyst", "Product", "IND", "eor", 18, state="cancelled"),
    Part("Sofia", "Quintela", "UX Researcher", "Design", "ESP", "eor", 26, 4, state="pre_hire",
         oddity="no_email"),
    Part("Emil", "Grönberg", "Site Reliability Engineer", "Engineering", "DEU", "eor", -450, 4,
         birthdate=date(1992, 2, 29), oddity="manager_email_only"),
    Part("Chidi", "Obiora", "Operations Analyst", "Operations", "NGA", "eor", -380, 25,
         oddity="cycle", boss_when_plain=0),
    Part("Zofia", "Banach", "Office Coordinator", "Operations", "POL", "eor", -390, 24,
         oddity="cycle", boss_when_plain=0),
    Part("Rafael", "Queiroz", "Growth Marketer", "Marketing", "BRA", "cor", -210, 26,
         oddity="self", boss_when_plain=0),
    Part("Hana", "Kuroda", "Payroll Specialist", "Finance", "JPN", "payroll", -330,
         oddity="unknown_manager unknown_type"),
    Part("Caleb", "Winslow", "Systems Administrator", "IT", "USA", "hris", -720, 2,
         oddity="manager_user_only padded_email"),
    Part("Ife", "Adebayo", "Legal Counsel", "Legal", "NGA", "plus", -150,
         oddity="null_country unknown_status upper_email"),
)  # fmt: skip

# The first extras lead the teams that have no written head.
HEADS: tuple[str, ...] = (
    "Sales", "Product", "Marketing", "Finance", "Customer Success", "Design", "Operations", "Legal",
)  # fmt: skip
FOUNDERS: dict[str, int] = {"Executive": 0, "People": 1, "IT": 2, "Engineering": 4}
_DECK: tuple[str, ...] = tuple(
    team.name for team in TEAMS.values() if team.name != "Executive" for _ in range(team.weight)
)
_COUNTRIES: tuple[str, ...] = tuple(PLACES)
_MAIL_ODDITIES: dict[int, str] = {11: "no_email", 23: "upper_email"}


def team_of_extra(seed: int, index: int) -> str:
    """The team of the person at `index`, from the thirtieth on."""
    place = index - len(CAST)
    return HEADS[place] if place < len(HEADS) else Dice(seed, "team", index).pick(_DECK)


def birthdate_of(part: Part, dice: Dice, today: date) -> date:
    """The written birthdate, or one whose next birthday is `birthday_in` days away, or any."""
    if part.birthdate is not None:
        return part.birthdate
    if part.birthday_in is not None:
        return (today + timedelta(days=part.birthday_in)).replace(year=dice.pick(LEAP_YEARS))
    return date(1962, 1, 1) + timedelta(days=dice.below(14_600))


def extra(seed: int, index: int, *, team: str, title: str, boss: int | None) -> Part:
    """A person nobody wrote a part for, with now and then a lifecycle date close to today."""
    dice = Dice(seed, "extra", index)
    country = dice.pick(_COUNTRIES)
    place = PLACES[country]
    if boss == 0 or dice.below(6):
        kind = dice.pick(("payroll", "hris")) if country in ENTITY_COUNTRIES else "eor"
    else:
        kind = dice.pick(("standard", "standard", "plus", "cor"))
    start, state, ending = -dice.between(30, 2600), "active", None
    turn = index % 24
    if boss != 0 and turn == 8:
        start, state = dice.between(1, 40), dice.pick(("active", "created", "invited", "pre_hire"))
    elif boss != 0 and turn == 16:
        state, ending = _leaving(kind, dice.between(2, 50))
    elif boss != 0 and turn == 20:
        state, ending = "archived", _leaving(kind, -dice.between(3, 400))[1]
        start = min(start, -500)
    return Part(
        dice.pick(place.given),
        dice.pick(place.surnames),
        title,
        team,
        country,
        kind,
        start,
        boss,
        birthday_in=dice.between(1, 14) if index % 12 == 1 else None,
        state=state,
        ending=ending,
        oddity="" if boss == 0 else _MAIL_ODDITIES.get(turn, ""),
    )


def _leaving(kind: str, days: int) -> tuple[str, Ending]:
    if kind in ("payroll", "hris"):
        return "offboarding", Ending("direct", days, days - 1)
    if kind == "cor":
        return "active", Ending("cor", days)
    if kind in ("standard", "plus"):
        return "active", Ending("service", days)
    return "offboarding", Ending("termination", days)
