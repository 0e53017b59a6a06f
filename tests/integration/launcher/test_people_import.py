"""Imports on a real broker: ids stay, nothing is published twice, and an emptied feed is filled again."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

import pytest
from aiokafka import TopicPartition

import launcher.company
from launcher.brokers.broker import Broker
from launcher.failure import LaunchFailed
from launcher.people_import import last_import
from launcher.people_import.feed import PeopleFeed
from launcher.people_import.importing import Imported, Progress, import_people
from launcher.people_import.mapping import beside, load
from launcher.people_import.reading import read
from launcher.people_import.roster import Roster
from launcher.topic_creation import create_topics
from launcher.topics import COMPACTED, Topic
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.kafka import Kafka
from tests.unit.launcher.people_import.exports import Silence

pytestmark = pytest.mark.kafka

SAMPLE = Path(launcher.company.__file__).with_name("hr_employees.csv")
NewFeed = Callable[[], Awaitable[PeopleFeed]]


@pytest.fixture
def new_feed(kafka: Broker) -> NewFeed:
    """Makes an empty people feed on the run's broker."""

    async def create() -> PeopleFeed:
        name = uuid7().hex
        feed = PeopleFeed(
            Kafka(bootstrap=kafka.bootstrap, idempotence=kafka.idempotent_producer), f"people-{name}", f"pay-{name}"
        )
        await create_topics(kafka.bootstrap, [Topic(t, settings=COMPACTED) for t in (feed.people, feed.compensation)])
        return feed

    return create


@pytest.fixture
async def feed(new_feed: NewFeed) -> PeopleFeed:
    return await new_feed()


async def run(feed: PeopleFeed, folder: Path, source: Path = SAMPLE, *, progress: Progress | None = None) -> Imported:
    mapping = load(beside(SAMPLE) or SAMPLE)
    sheet, silence = read(source, mapping), Silence()
    today = date(2026, 3, 1)
    return await import_people(sheet, mapping, feed=feed, folder=folder, today=today, progress=progress or silence)


async def records_in(feed: PeopleFeed) -> int:
    """How many records were ever written to both topics; the embedded broker's end offsets count no whole batches."""
    consumer, count = feed.kafka.consumer(), 0
    await consumer.start()
    try:
        places = [TopicPartition(topic, p) for topic in (feed.people, feed.compensation) for p in range(12)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        while batches := await consumer.getmany(timeout_ms=2_000):
            count += sum(len(batch) for batch in batches.values())
        return count
    finally:
        await consumer.stop()


async def test_the_sample_arrives_whole_and_a_second_run_publishes_nothing(feed: PeopleFeed, tmp_path: Path) -> None:
    first = await run(feed, tmp_path)
    roster = await feed.read()
    assert (first.changes.new, len(roster.people), len(roster.compensation)) == (107, 107, 107)
    again = await run(feed, tmp_path)
    assert (again.changes.unchanged, again.changes.records) == (107, [])
    assert await records_in(feed) == 2 * 107


async def test_a_changed_row_is_published_alone_as_the_next_revision(feed: PeopleFeed, tmp_path: Path) -> None:
    await run(feed, tmp_path)
    changed = tmp_path / "changed.csv"
    changed.write_text(SAMPLE.read_text().replace(",Alexander,James,", ",Alexandra,James,"))
    found = await run(feed, tmp_path, changed)
    assert (found.changes.changed, len(found.changes.records)) == (1, 1)
    roster = await feed.read()
    person = roster.people[roster.numbers()["103"]]
    assert (person.name, person.revision) == ("Alexandra James", 2)


async def test_the_feed_is_the_truth_of_who_has_which_id(feed: PeopleFeed, tmp_path: Path) -> None:
    await run(feed, tmp_path / "one")
    numbers = (await feed.read()).numbers()
    elsewhere = await run(feed, tmp_path / "another")
    assert elsewhere.changes.records == []
    assert last_import.person_id(tmp_path / "another", "103") == numbers["103"]


async def test_a_broker_that_forgot_everything_gets_it_again(new_feed: NewFeed, tmp_path: Path) -> None:
    before = await new_feed()
    await run(before, tmp_path)
    emptied = await new_feed()
    assert await last_import.republish_if_empty(emptied, tmp_path) == 2 * 107
    assert await emptied.read() == await before.read()
    assert await last_import.republish_if_empty(emptied, tmp_path) == 0


async def test_an_import_into_a_feed_that_was_emptied_keeps_the_ids(new_feed: NewFeed, tmp_path: Path) -> None:
    before = await new_feed()
    await run(before, tmp_path)
    emptied = await new_feed()
    assert (await run(emptied, tmp_path)).changes.records == []
    assert (await emptied.read()).numbers() == (await before.read()).numbers()


async def test_a_publication_that_stopped_half_way_is_completed(new_feed: NewFeed, tmp_path: Path) -> None:
    """What a crash leaves: all records kept, some of them published."""
    before = await new_feed()
    await run(before, tmp_path)
    roster, half = await before.read(), await new_feed()
    await half.publish([*roster.people.values()][:50])
    last_import.keep(tmp_path, roster)
    assert await last_import.republish_if_empty(half, tmp_path) == 57 + 107
    assert await half.read() == roster


async def test_a_feed_that_holds_something_is_left_alone(new_feed: NewFeed, tmp_path: Path) -> None:
    before = await new_feed()
    await run(before, tmp_path)
    roster, other = await before.read(), await new_feed()
    some = Roster(dict([*roster.people.items()][:1]), dict([*roster.compensation.items()][:1]))
    await other.publish([*some.people.values(), *some.compensation.values()])
    assert await last_import.republish_if_empty(other, tmp_path) == 0
    assert await other.read() == some


async def test_nothing_is_published_where_nothing_was_imported(feed: PeopleFeed, tmp_path: Path) -> None:
    assert await last_import.republish_if_empty(feed, tmp_path) == 0
    assert last_import.person_id(tmp_path, "103") is None


async def test_a_tombstone_forgets_a_person(feed: PeopleFeed, tmp_path: Path) -> None:
    await run(feed, tmp_path)
    person = (await feed.read()).numbers()["103"]
    producer = feed.kafka.producer()
    await producer.start()
    try:
        await producer.send_and_wait(feed.people, None, key=str(person).encode())
    finally:
        await producer.stop()
    roster = await feed.read()
    assert person not in roster.people
    assert person in roster.compensation


async def test_two_imports_at_once_are_turned_away(feed: PeopleFeed, tmp_path: Path) -> None:
    class Nosy(Silence):
        def begin(self, what: str, total: int | None) -> None:
            """Tries a second import in the middle of the first."""
            del total
            if what == "checking":
                with pytest.raises(LaunchFailed, match="Another import is running"), last_import.alone(tmp_path):
                    pass

    await run(feed, tmp_path, progress=Nosy())


async def test_a_topic_that_is_not_there_is_named(feed: PeopleFeed) -> None:
    with pytest.raises(LaunchFailed, match="The topic people-nowhere is not there: `trellis up` creates it"):
        await PeopleFeed(feed.kafka, people="people-nowhere").read()
