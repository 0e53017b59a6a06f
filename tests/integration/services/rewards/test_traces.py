"""A completed review that leads to a proposal is one trace: what was asked, the reaction, and what it stored."""

from dataclasses import replace
from typing import Final

import pytest

from services.rewards.reactions.propose_reward_when_review_completed import REACTION
from shared.eventsourcing.identifiers import stream_name
from shared.schemas import reviews
from tests.integration.services.rewards.company import ANN, MIRA, completed, review_of, working
from tests.integration.services.rewards.company import CYCLE as OF_THE_YEAR
from tests.servers.collector import collecting
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases

_TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
_ASKED: Final = "00f067aa0ba902b7"
_STORED: Final = """select split_part(type, '.', 3), metadata::json ->> 'traceparent' from events
                    where stream like 'reward-%'"""


async def test_a_reaction_and_what_it_stores_go_on_with_the_trace_of_its_event(
    issuer: Issuer, databases: MigratedDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
        async with working(issuer, databases) as company:
            await company.opened()
            await company.paid_well(ANN)
            runtime = company.service.runtime
            reaction = next(reader for reader in runtime.readers() if reader.name == REACTION.name)
            stream = stream_name("review", review_of(ANN))
            record = company.reviews.append(stream, completed(ANN, "4.00", OF_THE_YEAR, MIRA))
            header = ("traceparent", f"00-{_TRACE}-{_ASKED}-01".encode())
            traced = replace(record, headers=(*record.headers, header))
            await reaction.process(reviews.TOPIC, traced.partition, [traced])
            async with runtime.engine.connect() as connection:
                rows = (await connection.exec_driver_sql(_STORED)).all()
    (span,) = collector.named(f"apply {REACTION.name}")
    assert (span.trace, span.parent) == (_TRACE, _ASKED)
    assert rows == [("RewardProposed", f"00-{_TRACE}-{_ASKED}-01")]
