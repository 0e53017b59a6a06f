"""Nothing slips into a cycle while it is being closed: every step holds the cycle's stream until it is stored."""

import asyncio

from sqlalchemy import text

from shared.eventsourcing.identifiers import uuid7
from shared.schemas.identifiers import PersonId
from tests.integration.people.company import record
from tests.integration.services.reviews.company import CARL, FORM, Company, accepted

PEOPLE = 120
BEFORE_THE_CLOSE = 20
_AFTER_THE_CLOSE = text(
    "select count(*) from events where position > "
    "(select position from events where type = 'trellis.reviews.ReviewCycleClosed.v1')"
)


async def test_no_step_is_stored_after_the_close(company: Company) -> None:
    members = [PersonId(uuid7()) for _ in range(PEOPLE)]
    await company.service.knows([record(member, CARL) for member in members])
    cycle = await company.opened(population={"people": [str(member) for member in members]})
    for member in members:
        await company.begun(member)
    answers: list[int] = []
    enough = asyncio.Event()

    async def assess() -> None:
        while members:
            path = f"{company.review(members.pop())}/manager-assessment"
            answers.append((await company.carl.post(path, json=FORM)).status_code)
            if len(answers) == BEFORE_THE_CLOSE:
                enough.set()

    async def close() -> None:
        await enough.wait()
        await accepted(company.hanna.post(f"/cycles/{cycle}/close", json={"reason": "done"}))

    await asyncio.gather(assess(), assess(), close(), assess(), assess())
    assert set(answers) <= {200, 409}
    async with company.service.runtime.engine.connect() as connection:
        assert await connection.scalar(_AFTER_THE_CLOSE) == 0
