"""Cursors that a client made up: each is refused, none is a failure inside."""

from base64 import urlsafe_b64encode
from datetime import datetime
from uuid import UUID

import pytest
from pydantic_core import to_json

from shared.runtime.pagination import PageRequest
from shared.runtime.problems import Problem


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "yesterday"])
def test_a_moment_that_no_calendar_holds_is_no_cursor(moment: str) -> None:
    page = PageRequest(10, urlsafe_b64encode(to_json([moment, str(UUID(int=1))])).decode())
    with pytest.raises(Problem) as refused:
        page.after(tuple[datetime, UUID])
    assert refused.value.document.status == 422
