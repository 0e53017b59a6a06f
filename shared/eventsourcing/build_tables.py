"""The tables of a build: empty copies in a schema of their own, compared, and moved when they are to serve."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

SERVING: Final = "public"
"""The schema of the tables that queries find."""

_COLUMNS: Final = text(
    "select format('%s %s %s', attname, format_type(atttypid, atttypmod), attnotnull) from pg_attribute "
    "where attrelid = to_regclass(:table) and attnum > 0 and not attisdropped order by attnum"
)
_CONSTRAINTS: Final = text(
    "select format('alter table %I add constraint %I %s', t.relname, c.conname, pg_get_constraintdef(c.oid, true)) "
    "from pg_constraint c join pg_class t on t.oid = c.conrelid "
    "where c.conrelid = to_regclass(:table) and c.contype in ('p', 'u', 'x', 'f') "
    "order by c.contype = 'f', c.conname"
)
_INDEXES: Final = text(
    "select pg_get_indexdef(i.indexrelid, 0, true) from pg_index i join pg_class c on c.oid = i.indexrelid "
    "where i.indrelid = to_regclass(:table) "
    "and not exists (select 1 from pg_constraint where conindid = i.indexrelid and contype in ('p', 'u', 'x')) "
    "order by c.relname"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as it is made: its columns, and the statements that make its constraints and indexes."""

    columns: Sequence[str]
    constraints: Sequence[str]
    indexes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Checksum:
    """A table's contents, whatever the order of its rows: how many, and the sum of their 64-bit hashes."""

    rows: int
    sum: int


def quoted(name: str) -> str:
    """An identifier as SQL takes it whatever it holds."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


@asynccontextmanager
async def looking_into(connection: AsyncConnection, schema: str) -> AsyncGenerator[None]:
    """Within the block, names without a schema mean this one's tables first, then those that serve."""
    before = await connection.scalar(text("select current_setting('search_path')"))
    await _search(connection, search_path(schema))
    yield
    await _search(connection, str(before))


def search_path(schema: str) -> str:
    """The setting with which a projection's SQL finds its tables in this schema, and everything else where it is."""
    return f"{quoted(schema)}, {SERVING}"


async def _search(connection: AsyncConnection, path: str) -> None:
    await connection.execute(text("select set_config('search_path', :path, true)"), {"path": path})


async def shapes(connection: AsyncConnection, tables: Sequence[Table], schema: str) -> dict[str, Shape]:
    """What each table is in this schema, nothing where it is not there; equal in two if the tables are copies."""
    async with looking_into(connection, schema):
        return {
            table.name: Shape(
                *[
                    list((await connection.scalars(query, {"table": f"{quoted(schema)}.{quoted(table.name)}"})).all())
                    for query in (_COLUMNS, _CONSTRAINTS, _INDEXES)
                ]
            )
            for table in tables
        }


async def copy(connection: AsyncConnection, tables: Sequence[Table], schema: str) -> None:
    """Make a schema with empty copies of the tables that serve: columns, constraints and indexes under their names.

    `LIKE ... INCLUDING INDEXES` would name the indexes anew, and a later migration would not find them.
    """
    made = await shapes(connection, tables, SERVING)
    await connection.execute(text(f"create schema {quoted(schema)}"))
    for table in tables:
        name = quoted(table.name)
        like = f"(like {SERVING}.{name} including all excluding indexes)"
        await connection.execute(text(f"create table {quoted(schema)}.{name} {like}"))
    async with looking_into(connection, schema):
        for statements in ("indexes", "constraints"):
            for shape in made.values():
                for statement in getattr(shape, statements):
                    await connection.exec_driver_sql(statement)


async def remove(connection: AsyncConnection, schema: str) -> None:
    """Drop a build's tables."""
    await connection.execute(text(f"drop schema if exists {quoted(schema)} cascade"))


async def empty(connection: AsyncConnection, tables: Sequence[Table], schema: str) -> None:
    """Take all rows out, as before a rebuild's first event."""
    names = ", ".join(f"{quoted(schema)}.{quoted(table.name)}" for table in tables)
    await connection.execute(text(f"truncate {names}"))


async def analyze(connection: AsyncConnection, tables: Sequence[Table], schema: str) -> None:
    """Let the planner know the rows, so that the first query after the switch is planned as the last one before."""
    for table in tables:
        await connection.execute(text(f"analyze {quoted(schema)}.{quoted(table.name)}"))


async def checksums(connection: AsyncConnection, tables: Sequence[Table], schema: str) -> dict[str, Checksum]:
    """Each table's contents in this schema."""
    found: dict[str, Checksum] = {}
    for table in tables:
        sums = "count(*), coalesce(sum(hashtextextended(r::text, 0)), 0)::text"
        query = f"select {sums} from {quoted(schema)}.{quoted(table.name)} r"  # noqa: S608 - quoted, and ours
        rows, total = (await connection.execute(text(query))).one()
        found[table.name] = Checksum(rows, int(total))
    return found


async def lock(connection: AsyncConnection, tables: Sequence[Table], schema: str, *, seconds: float) -> None:
    """Keep everybody out of the tables until the transaction ends; waits for each at most `seconds`."""
    await connection.execute(text("select set_config('lock_timeout', :ms, true)"), {"ms": f"{seconds * 1_000:.0f}ms"})
    names = ", ".join(f"{quoted(schema)}.{quoted(table.name)}" for table in tables)
    await connection.execute(text(f"lock table {names} in access exclusive mode"))


async def move(connection: AsyncConnection, tables: Sequence[Table], *, source: str, target: str) -> None:
    """Put the tables, with all that belongs to them, into another schema; their oids stay."""
    for table in tables:
        await connection.execute(text(f"alter table {quoted(source)}.{quoted(table.name)} set schema {quoted(target)}"))
