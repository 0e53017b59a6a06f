"""The migrated database: a checkpoint row for everything that is read, since a missing row fences nothing."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.app import SERVICE
from shared.schemas.partitions import PARTITIONS


async def test_every_partition_that_is_read_has_its_checkpoint(connection: AsyncConnection) -> None:
    rows = await connection.execute(text("select reader, topic, count(*) from checkpoints group by reader, topic"))
    read = {(projection.name, topic): PARTITIONS for projection in SERVICE.projections for topic in projection.topics}
    read |= {(reaction.name, topic): PARTITIONS for reaction in SERVICE.reactions for topic in reaction.topics}
    read[("timers", SERVICE.topic)] = PARTITIONS
    assert {(reader, topic): count for reader, topic, count in rows} == read


async def test_the_release_before_goes_on_reading_and_writing_what_it_knows(connection: AsyncConnection) -> None:
    await connection.execute(
        text(
            "insert into review_sheets (review, cycle, person, policy, state, version, opened_at, changed_at) "
            "values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '{}', 'opened', 1, now(), now())"
        )
    )
    assert await connection.scalar(text("select evidence_asked from review_sheets")) is False
    there = text("select goal, owner, starts_on, ends_on, cancelled, progress, version, position from evidence_goals")
    assert (await connection.execute(there)).all() == []


async def test_the_tables_are_those_that_the_read_models_know(connection: AsyncConnection) -> None:
    for table in (table for projection in SERVICE.projections for table in projection.tables):
        columns = await connection.execute(
            text("select column_name, is_nullable = 'YES' from information_schema.columns where table_name = :name"),
            {"name": table.name},
        )
        assert {row[0]: row[1] for row in columns} == {column.name: column.nullable for column in table.columns}
