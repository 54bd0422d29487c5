"""The words the made-up company is built from: countries, names, teams, titles."""

from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A country with the names people there tend to have."""

    alpha_3: str
    alpha_2: str
    name: str
    region: str
    subregion: str
    city: str
    currency: str
    given: tuple[str, ...]
    surnames: tuple[str, ...]

    def as_country(self) -> Record:
        return {
            "alpha_2_code": self.alpha_2,
            "code": self.alpha_3,
            "contractor_products_available": ["standard", "plus", "cor"],
            "country_subdivisions": None,
            "employment_agreement_preview_available": True,
            "eor_onboarding": True,
            "locked_benefits": "after_first_hire",
            "name": self.name,
            "region": self.region,
            "subregion": self.subregion,
            "supported_json_schemas": ["address_details", "contract_details", "personal_details"],
        }


def _place(line: str) -> Place:
    codes, place, given, surnames = line.split("|")
    alpha_3, alpha_2, currency = codes.split()
    name, region, subregion, city = place.split("/")
    return Place(
        alpha_3, alpha_2, name, region, subregion, city, currency,
        tuple(given.split()), tuple(surnames.split()),
    )  # fmt: skip


PLACES: dict[str, Place] = {
    place.alpha_3: place
    for place in map(
        _place,
        (
            "USA US USD|United States/Americas/Northern America/Austin"
            "|Olivia Ethan Ava Mason Harper Logan Zoe Caleb Naomi Owen Ruby Isaac"
            "|Carter Brooks Reed Hayes Foster Bennett Coleman Ortiz Price Sanders Walsh Nguyen",
            "FRA FR EUR|France/Europe/Western Europe/Lyon"
            "|Camille Hugo Manon Louis Chloé Jules Inès Théo Léa Antoine Élise Bastien"
            "|Moreau Lefèvre Garnier Roux Fontaine Chevalier Blanc Perrin Girard Lambert Marchand",
            "DEU DE EUR|Germany/Europe/Western Europe/Berlin"
            "|Lena Jonas Mia Felix Klara Lukas Johanna Moritz Greta Anton Frieda Emil"
            "|Schäfer Vogel Becker Krüger Winkler Hartmann Lorenz Brandt Keller Sommer Busch Jäger",
            "GBR GB GBP|United Kingdom/Europe/Northern Europe/Manchester"
            "|Amelia Oliver Isla Harry Freya Alfie Imogen Rhys Poppy Callum Maisie Nikhil"
            "|Hughes Barker Ellis Marsh Patel Doyle Fletcher Griffiths Holt Kerr Lowe Shaw",
            "JPN JP JPY|Japan/Asia/Eastern Asia/Tokyo"
            "|Yui Haruto Aoi Sota Hina Ren Sakura Kaito Mei Riku Akari Daichi"
            "|Sato Suzuki Takahashi Tanaka Ito Watanabe Yamamoto Nakamura Kobayashi Kato Mori",
            "PRT PT EUR|Portugal/Europe/Southern Europe/Porto"
            "|Beatriz Tiago Matilde Rui Joana Duarte Leonor Nuno Carolina Vasco Sofia Gil"
            "|Almeida Pinto Carvalho Teixeira Lopes Marques Correia Nunes Moreira Ramos Faria Vaz",
            "ESP ES EUR|Spain/Europe/Southern Europe/Valencia"
            "|Lucía Pablo Carmen Álvaro Elena Diego Marta Iker Nuria Sergio Aitana Raúl"
            "|Navarro Serrano Molina Castro Ortega Rubio Marín Iglesias Vidal Campos Reyes Peña",
            "BRA BR BRL|Brazil/Americas/South America/Curitiba"
            "|Larissa Thiago Fernanda Caio Juliana Bruno Bianca Rafael Camila Vitor Luana Igor"
            "|Barbosa Cardoso Ribeiro Monteiro Freitas Duarte Azevedo Peixoto Viana Souza Prado",
            "IND IN INR|India/Asia/Southern Asia/Pune"
            "|Ananya Arjun Diya Rohan Kavya Vikram Meera Aditya Priya Karan Isha Dev"
            "|Sharma Iyer Reddy Mehta Nair Kulkarni Bose Chopra Rao Joshi Menon Desai",
            "CAN CA CAD|Canada/Americas/Northern America/Montreal"
            "|Sophie Liam Maya Noah Claire Xavier Tessa Gabriel Jade Simon Elise Hudson"
            "|Tremblay MacLeod Gagnon Singh Fraser Pelletier Campbell Roy Chan Bouchard Grant",
            "POL PL PLN|Poland/Europe/Eastern Europe/Kraków"
            "|Zofia Jakub Hanna Szymon Maja Piotr Alicja Tomasz Ola Marek Iga Kacper"
            "|Nowak Wiśniewski Zieliński Mazur Krawczyk Pawlak Walczak Sikora Baran Duda Szulc Lis",
            "NGA NG NGN|Nigeria/Africa/Western Africa/Lagos"
            "|Adaeze Chidi Folake Emeka Ngozi Tunde Amara Kelechi Zainab Segun Ife Uche"
            "|Okafor Adeyemi Balogun Eze Okoro Bello Nwosu Ojo Danjuma Obi Lawal Ibe",
        ),
    )
}

# The customer's own entities; people elsewhere are employed by Remote or are contractors.
ENTITIES: tuple[tuple[str, str], ...] = (
    ("Acme Inc.", "USA"),
    ("Acme SAS", "FRA"),
    ("Acme GmbH", "DEU"),
    ("Acme Ltd", "GBR"),
    ("Acme KK", "JPN"),
)
ENTITY_COUNTRIES: frozenset[str] = frozenset(code for _, code in ENTITIES)


@dataclass(frozen=True, slots=True)
class Team:
    """A department: who leads it, who leads inside it, who works in it, and how large it is."""

    name: str
    head: str
    lead: str
    titles: tuple[str, ...]
    weight: int


TEAMS: dict[str, Team] = {
    team.name: team
    for team in (
        Team("Executive", "Chief Executive Officer", "Chief of Staff", ("Executive Assistant",), 1),
        Team(
            "People",
            "Head of People",
            "People Manager",
            ("People Partner", "Talent Partner", "People Operations Specialist"),
            4,
        ),
        Team(
            "IT",
            "IT Lead",
            "IT Manager",
            ("IT Support Specialist", "Systems Administrator", "Security Engineer"),
            4,
        ),
        Team(
            "Engineering",
            "VP Engineering",
            "Engineering Manager",
            ("Software Engineer", "Senior Software Engineer", "Staff Engineer", "Data Engineer",
             "Site Reliability Engineer", "QA Engineer"),
            30,
        ),
        Team(
            "Sales",
            "VP Sales",
            "Sales Manager",
            ("Account Executive", "Senior Account Executive", "Sales Development Representative"),
            16,
        ),
        Team(
            "Product",
            "Head of Product",
            "Group Product Manager",
            ("Product Manager", "Senior Product Manager", "Product Analyst"),
            8,
        ),
        Team(
            "Marketing",
            "Head of Marketing",
            "Marketing Manager",
            ("Content Strategist", "Growth Marketer", "Brand Designer"),
            8,
        ),
        Team(
            "Finance",
            "Finance Director",
            "Finance Manager",
            ("Accountant", "Financial Analyst", "Payroll Specialist"),
            6,
        ),
        Team(
            "Customer Success",
            "Head of Customer Success",
            "Customer Success Manager Lead",
            ("Customer Success Manager", "Support Engineer", "Implementation Consultant"),
            14,
        ),
        Team(
            "Design",
            "Head of Design",
            "Design Manager",
            ("Product Designer", "UX Researcher"),
            5,
        ),
        Team(
            "Operations",
            "Head of Operations",
            "Operations Manager",
            ("Operations Analyst", "Office Coordinator"),
            3,
        ),
        Team("Legal", "General Counsel", "Legal Manager", ("Legal Counsel", "Paralegal"), 1),
    )
}  # fmt: skip
