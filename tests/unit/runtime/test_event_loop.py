"""Which event loop a role runs on."""

from shared.runtime.process import event_loop


def test_a_kafka_client_runs_on_the_loop_whose_errors_it_knows() -> None:
    loops = {role: event_loop(role) for role in ("api", "worker", "all")}
    assert loops == {"api": "auto", "worker": "asyncio", "all": "asyncio"}
