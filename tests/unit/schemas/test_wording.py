"""What is wrong with a value is said in words of ours, whatever the library calls it."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, TypeAdapter, ValidationError

from services.goals.domain.metric import Figure
from shared.schemas.values import ReasonCode, ShortText
from shared.schemas.wording import told


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


def refuse(_value: str) -> str:
    raise ValueError("must be said by the owner")


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Figure, "1.1234567", "must have at most 6 decimal places"),
        (Figure, "1" * 25, "must have at most 24 digits"),
        (Annotated[Decimal, Field(max_digits=3, decimal_places=1)], "123", "must have at most 2 digits before"),
        (Annotated[Decimal, Field(decimal_places=1)], "1.25", "must have at most 1 decimal place"),
        (ShortText, "", "must not be empty"),
        (ShortText, "n" * 201, "must have at most 200 characters"),
        (ShortText, 7, "must be a text"),
        (Annotated[str, StringConstraints(min_length=3)], "ab", "must have at least 3 characters"),
        (ReasonCode, "Not So", "must match ^[a-z0-9]+(-[a-z0-9]+)*$"),
        (Annotated[tuple[int, ...], Field(min_length=1)], (), "must not be empty"),
        (Annotated[list[int], Field(max_length=2)], [1, 2, 3], "must have at most 2 items"),
        (list[int], "many", "must be a list"),
        (dict[str, int], 3, "must be an object"),
        (int, "x", "must be a whole number"),
        (int, 1.5, "must be a whole number"),
        (bool, "perhaps", "must be true or false"),
        (Annotated[int, Field(ge=1)], 0, "must be 1 or more"),
        (Annotated[int, Field(gt=1)], 1, "must be more than 1"),
        (Annotated[int, Field(le=5)], 6, "must be 5 or less"),
        (Annotated[int, Field(lt=5)], 5, "must be less than 5"),
        (date, "soon", "must be a date, such as 2026-12-31"),
        (date, "2026-12-31T12:00:00Z", "must be a date, such as 2026-12-31"),
        (AwareDatetime, "soon", "must be a moment with its offset from UTC"),
        (AwareDatetime, "2026-12-31T12:00:00", "must be a moment with its offset from UTC"),
        (UUID, "me", "must be a UUID"),
        (Literal["a", "b"], "c", "must be 'a' or 'b'"),
        (Size, "huge", "must be 'small' or 'large'"),
        (Annotated[str, AfterValidator(refuse)], "mine", "must be said by the owner"),
    ],
)
def test_a_wrong_value_is_told_in_our_words(kind: Any, value: Any, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter[Any](kind).validate_python(value)
    error = refused.value.errors(include_url=False)[0]
    assert told({**error}).startswith(words), error
    assert "Input should" not in told({**error})
    assert "Value error" not in told({**error})
