"""Made-up people's names: common ones of many countries, so that some people share theirs."""

from random import Random
from typing import Final

_GIVEN: Final = (
    "Aiko Ana Anders Anjali Arjun Bartosz Beatriz Carlos Chloé Daniel David Elena Emma Erik Fatima Felix Grace "
    "Hana Haruto Hassan Ines James Jana Jörg José Julia Kai Karim Katarzyna Laura Layla Leon Lucia Łukasz Maria "
    "Marta Maryam Mateus Mei Michael Mina Mohammed Nina Noah Noor Oliver Olivia Omar Pedro Priya Rafael Ravi Rosa "
    "Sakura Samir Sara Sean Sofia Thomas Tomasz Ursula Victor Wei Yuki Yusuf Zoë"
)
_FAMILY: Final = (
    "Abe Ahmed Almeida Andersen Bauer Becker Brown Carvalho Chen Costa Dąbrowski Das Davies Evans Ferreira "
    "Fischer García Gupta Haddad Hansen Hoffmann Ibrahim Ito Jensen Johnson Jones Kaur Khan Kim Kobayashi "
    "Kowalski Kumar Lewandowski Li Lopez Martin Mehta Meyer Miller Müller Nakamura Nguyen Nowak O'Brien Oliveira "
    "Park Patel Pereira Rao Rossi Saito Santos Schmidt Schneider Sharma Silva Singh Smith Souza Suzuki Taylor "
    "Tanaka Wagner Wang Weber Williams Wilson Wiśniewski Wójcik Wright Yamamoto Zhang Zieliński"
)


def full_name(random: Random) -> tuple[str, str]:
    """A given and a family name."""
    return random.choice(_GIVEN.split()), random.choice(_FAMILY.split())
