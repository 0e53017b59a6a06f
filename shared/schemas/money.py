"""Money: an amount as a string and an ISO 4217 currency, exact to the currency's minor unit."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.schemas.units import OfCurrency

_TWO_PLACES: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
    "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
    "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG"
)
_NO_PLACES: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_PLACES: Final = "BHD IQD JOD KWD LYD OMR TND"

MINOR_UNITS: Final = {
    **dict.fromkeys(_TWO_PLACES.split(), 2),
    **dict.fromkeys(_NO_PLACES.split(), 0),
    **dict.fromkeys(_THREE_PLACES.split(), 3),
}
"""Decimal places per currency, from ISO 4217 (list one)."""

_DIGITS: Final = 15
"""Before the decimal point: beyond any budget, and in minor units a signed 64-bit integer still."""


class Money(BaseModel):
    """An amount in a currency; more decimal places than the currency has are refused, never rounded away."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"amount": "1250.00", "currency": "USD"}]}
    )

    amount: OfCurrency = Field(description="The amount, with the currency's decimal places.")
    currency: str = Field(pattern="^[A-Z]{3}$", examples=["USD"], description="The ISO 4217 code.")

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        if self.currency not in MINOR_UNITS:
            raise PydanticCustomError("currency", "{currency} is not an ISO 4217 currency", {"currency": self.currency})
        places = MINOR_UNITS[self.currency]
        if self.amount.adjusted() >= _DIGITS:
            raise PydanticCustomError("money_too_large", "has more than {digits} digits", {"digits": _DIGITS})
        if self.amount != self.amount.quantize(Decimal(1).scaleb(-places)):
            raise PydanticCustomError(
                "money_minor_units",
                "{amount} has more decimal places than {currency} has ({places})",
                {"amount": str(self.amount), "currency": self.currency, "places": places},
            )
        object.__setattr__(self, "amount", self.amount.quantize(Decimal(1).scaleb(-places)))
        return self

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Self:
        """The amount rounded half-up to the currency's minor unit: to be used once, at the end of a calculation."""
        unit = Decimal(1).scaleb(-MINOR_UNITS[currency])
        return cls(amount=amount.quantize(unit, rounding=ROUND_HALF_UP), currency=currency)

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> Self:
        """The amount from a whole number of minor units (cents, yen, fils)."""
        return cls(amount=Decimal(minor).scaleb(-MINOR_UNITS[currency]), currency=currency)

    @classmethod
    def largest(cls, currency: str) -> Self:
        """The largest amount of this currency that there can be."""
        return cls.from_minor(10 ** (_DIGITS + MINOR_UNITS[currency]) - 1, currency)

    @property
    def minor(self) -> int:
        """The amount as a whole number of minor units."""
        return int(self.amount.scaleb(MINOR_UNITS[self.currency]))
