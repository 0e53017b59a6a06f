"""The table `people`: the latest revision counts, whatever order, slices and repetitions the feed comes in."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.identifiers import derived
from shared.people.population import exists, find
from shared.people.projection import Change, apply
from shared.people.table import PEOPLE
from shared.schemas.identifiers import PersonId
from tests.integration.people.company import change

ANN, BEN, CAT = (PersonId(derived("person", name)) for name in ("ann", "ben", "cat"))


async def rows(connection: AsyncConnection) -> dict[PersonId, int]:
    found = await connection.execute(select(PEOPLE.c.person, PEOPLE.c.revision))
    return {row.person: row.revision for row in found}


async def test_the_migration_makes_the_table_that_the_queries_know(connection: AsyncConnection) -> None:
    def columns(sync: Connection) -> dict[str, tuple[str, bool]]:
        return {c["name"]: (str(c["type"]), c["nullable"]) for c in inspect(sync).get_columns("people")}

    known = {c.name: (str(c.type.compile(connection.dialect)), bool(c.nullable)) for c in PEOPLE.columns}
    assert await connection.run_sync(columns) == known


async def test_no_name_and_no_address_is_kept() -> None:
    assert not {"given_name", "family_name", "email", "employee_number"} & set(PEOPLE.columns.keys())


async def test_an_older_revision_changes_nothing(connection: AsyncConnection) -> None:
    await apply(connection, [change(ANN, revision=3, team="Sales")])
    await apply(connection, [change(ANN, revision=2, team="Research")])
    ann = await find(connection, ANN)
    assert ann is not None
    assert (ann.revision, ann.team) == (3, "Sales")


async def test_a_tombstone_removes_the_person(connection: AsyncConnection) -> None:
    await apply(connection, [change(ANN), change(BEN)])
    await apply(connection, [(ANN, None)])
    assert not await exists(connection, ANN)
    assert await exists(connection, BEN)


async def test_a_person_who_comes_back_after_a_tombstone_is_there(connection: AsyncConnection) -> None:
    await apply(connection, [change(ANN, revision=5)])
    await apply(connection, [(ANN, None), change(ANN, revision=1)])
    assert await rows(connection) == {ANN: 1}


async def test_a_slice_of_thousands_is_written_whole(connection: AsyncConnection) -> None:
    people = [PersonId(derived("person", number)) for number in range(2500)]
    await apply(connection, [change(person) for person in people])
    assert len(await rows(connection)) == len(people)


feeds = st.lists(st.tuples(st.sampled_from([ANN, BEN, CAT]), st.one_of(st.none(), st.integers(1, 5))), max_size=20)


def expected(feed: list[tuple[PersonId, int | None]]) -> dict[PersonId, int]:
    latest: dict[PersonId, int] = {}
    for person, revision in feed:
        if revision is None:
            latest.pop(person, None)
        else:
            latest[person] = max(revision, latest.get(person, 0))
    return latest


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(feed=feeds, cut=st.integers(0, 20))
async def test_any_feed_in_any_slices_and_read_twice_gives_the_latest_revisions(
    connection: AsyncConnection, feed: list[tuple[PersonId, int | None]], cut: int
) -> None:
    changes: list[Change] = [(p, None) if revision is None else change(p, revision=revision) for p, revision in feed]
    async with connection.begin_nested() as savepoint:
        for part in (changes[:cut], changes[cut:]):
            await apply(connection, part)
        assert await rows(connection) == expected(feed)
        await apply(connection, changes)
        assert await rows(connection) == expected(feed + feed)
        await savepoint.rollback()
