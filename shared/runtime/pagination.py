"""Cursor pagination: a page and an opaque cursor over the sort key of its last item."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import to_json

from shared.runtime.problems import FieldError, invalid, shown

LARGEST_PAGE = 200
USUAL_PAGE = 50

Item = TypeVar("Item")
Row = TypeVar("Row")
SortKey = TypeVar("SortKey", bound=tuple[Any, ...])


class Page(BaseModel, Generic[Item]):
    """One page; `next` is the cursor of the page after it, and null on the last one."""

    items: list[Item]
    next: str | None = Field(default=None, description="Give it as `cursor` to get the next page.")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page the client asks for.

    A query sorts by a unique key, skips up to the cursor, and asks for one row more than the page holds:

        after = page.after(tuple[datetime, UUID])
        if after is not None:
            query = query.where(tuple_(table.c.given_at, table.c.id) > after)
        rows = await connection.execute(query.order_by(table.c.given_at, table.c.id).limit(page.limit + 1))
        return page.of(rows.all(), key=lambda row: (row.given_at, row.id), item=as_item)
    """

    limit: int
    cursor: str | None = None

    def after(self, kind: type[SortKey]) -> SortKey | None:
        """The sort key that this page comes after, of the type that the query sorts by.

        Raises:
            Problem: 422, the cursor is not one of this list's.
        """
        if self.cursor is None:
            return None
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            key = TypeAdapter(kind).validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
            for part in key:
                if isinstance(part, datetime):
                    part.astimezone(UTC)  # a moment that no calendar holds is no sort key
        except (binascii.Error, ValidationError, ValueError, OverflowError) as error:
            wrong = FieldError(field="cursor", value=shown(self.cursor), message="is not a cursor of this list")
            raise invalid([wrong]) from error
        return key

    def of(self, rows: Sequence[Row], *, key: Callable[[Row], SortKey], item: Callable[[Row], Item]) -> Page[Item]:
        """The page of these rows, of which there may be one more than the limit."""
        shown_rows = rows[: self.limit]
        more = len(rows) > self.limit
        return Page[Any](items=[item(row) for row in shown_rows], next=_cursor(key(shown_rows[-1])) if more else None)


def _cursor(key: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(to_json(key)).decode().rstrip("=")


def _page_request(
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Items a page.")] = USUAL_PAGE,
    cursor: Annotated[str | None, Query(description="`next` of the page before.", max_length=1000)] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


AskedPage = Annotated[PageRequest, Depends(_page_request)]
"""A route's parameter: the page that the client asks for."""
