"""What the numbers of events are in: each unit a type of its own, told in the schemas as `x-unit`."""

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from shared.schemas.values import DecimalString

UNIT: Final = "x-unit"


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number is in. The same bytes would mean something else in another: `trellis schemas check` refuses it."""

    name: str

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core_schema), UNIT: self.name}


Percent: TypeAlias = Annotated[DecimalString, Unit("percent")]
Ratio: TypeAlias = Annotated[DecimalString, Unit("ratio")]
"""A share or quotient: 1 is the whole."""
Factor: TypeAlias = Annotated[DecimalString, Unit("factor")]
Relative: TypeAlias = Annotated[DecimalString, Unit("weight, relative to its siblings")]
OnScale: TypeAlias = Annotated[DecimalString, Unit("points on the review's scale")]
InMetricUnit: TypeAlias = Annotated[DecimalString, Unit("the unit of the goal's metric")]
InKpiUnit: TypeAlias = Annotated[DecimalString, Unit("the unit of the KPI")]
OfCurrency: TypeAlias = Annotated[DecimalString, Unit("units of the currency beside it")]
Seconds: TypeAlias = Annotated[int, Unit("seconds")]
Days: TypeAlias = Annotated[int, Unit("days")]
People: TypeAlias = Annotated[int, Unit("people")]
Confidence: TypeAlias = Annotated[int, Unit("points from 0 to 10")]
Ordinal: TypeAlias = Annotated[int, Unit("ordinal")]
"""A number in a row: a version, a revision, a position."""
Count: TypeAlias = Annotated[int, Unit("count")]
