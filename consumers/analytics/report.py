"""What the tallies say, as rows and as a table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from consumers.analytics.reading import Tallies
from consumers.analytics.tally import ChainTally


@dataclass(frozen=True, slots=True)
class Line:
    """One partition. `chain`: unbroken, what is wrong with it, or none, where a feed has no chain."""

    topic: str
    partition: int
    events: int
    checksum: str
    chain: str
    duplicates: int = 0
    no_events: int = 0
    logs: int = 1

    @property
    def whole(self) -> bool:
        return self.chain in {"unbroken", "none"}


def lines(tallies: Tallies) -> list[Line]:
    """A line per partition, by topic and number."""
    found: list[Line] = []
    for place, tally in sorted(tallies.items()):
        common = (place.topic, place.partition, tally.events, tally.checksum)
        if isinstance(tally, ChainTally):
            counts = (tally.duplicates, tally.no_events, tally.logs)
            found.append(Line(*common, tally.broken or "unbroken", *counts))
        else:
            found.append(Line(*common, "none"))
    return found


def rows(found: Sequence[Line]) -> list[dict[str, object]]:
    return [asdict(line) for line in found]


def table(found: Sequence[Line]) -> str:
    """For reading: the checksums shortened, what is unusual at the end of the line."""
    shown = [f"{'topic':<18} {'partition':>9} {'events':>9}  {'checksum':<16}  chain"]
    for line in found:
        unusual = {"duplicates": line.duplicates, "no events": line.no_events, "logs": line.logs - 1 and line.logs}
        notes = "".join(f", {count} {what}" for what, count in unusual.items() if count > 0)
        shown.append(
            f"{line.topic:<18} {line.partition:>9} {line.events:>9}  {line.checksum[:16]}  {line.chain}{notes}"
        )
    total, whole = sum(line.events for line in found), all(line.whole for line in found)
    shown.append(f"{total} events; {'nothing is missing' if whole else 'SOMETHING IS MISSING'}")
    return "\n".join(shown)
