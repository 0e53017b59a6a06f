"""KPIs over HTTP: defined, measured one by one and by the thousand, corrected, read as a series; each answered."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
from sqlalchemy import text

from services.goals.projections import taken_measurements
from services.goals.projections.taken_measurements import TAKEN
from shared.runtime.caller import Role
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, CLARA, EVE, HUGO, Company

CODE = "support.tickets-within-24h"


def kpi_of(owner: Any = HUGO, **changes: Any) -> dict[str, Any]:
    return {
        "code": CODE,
        "name": "Tickets answered within 24 hours",
        "kind": "ratio",
        "unit": "%",
        "per": "100",
        "direction": "rising",
        "aggregation": "ratio-of-sums",
        "target": "95",
        "thresholds": {"on_track": "95", "at_risk": "90"},
        "owner": str(owner),
        "source": "ticket system",
    } | changes


def figures(numerator: int, denominator: int, day: str = "2026-03-30", **said: Any) -> dict[str, Any]:
    return {
        "id": f"tickets-{day}",
        "measured_at": f"{day}T12:00:00Z",
        "numerator": str(numerator),
        "denominator": str(denominator),
        "source": "ticket system",
    } | said


async def defined(company: Company, **changes: Any) -> str:
    answer = await company.hugo.post("/kpis", json=kpi_of(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def series(company: Company, kpi: str, **asked: Any) -> dict[str, Any]:
    await company.settled()
    answer = await company.alice.get(f"/kpis/{kpi}/series", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_kpi_is_defined_shown_revised_and_retired(company: Company) -> None:
    kpi = await defined(company)
    await company.settled()
    shown = (await company.hugo.get(f"/kpis/{kpi}")).json()
    assert (shown["code"], shown["state"], shown["target"]) == (CODE, "current", "95")
    assert shown["allowed_actions"] == ["measure", "revise", "hand-over", "retire"]
    assert (await company.alice.get(f"/kpis/{kpi}")).json()["allowed_actions"] == []

    steps = {
        "target": {"target": "97", "thresholds": None, "reason": "new-contract"},
        "name": {"name": "Within a day"},
        "source": {"source": "new ticket system"},
        "hand-over": {"owner": str(CLARA)},
    }
    for step, body in steps.items():
        assert (await company.hugo.post(f"/kpis/{kpi}/{step}", json=body)).status_code == 200
    refused(await company.hugo.post(f"/kpis/{kpi}/name", json={"name": "Mine again"}), 403, "problem:forbidden")
    gone = await company.clara.post(f"/kpis/{kpi}/retire", json={"reason": "measured-otherwise"})
    assert (gone.json()["state"], gone.json()["allowed_actions"]) == ("retired", [])
    await company.settled()
    listed = (await company.alice.get("/kpis", params={"state": "retired"})).json()["items"]
    told = ("id", "version", "name", "target", "thresholds", "source", "owner")
    assert [[one[name] for name in told] for one in listed] == [
        [kpi, 6, "Within a day", "97", None, "new ticket system", str(CLARA)]
    ]


async def test_a_code_is_given_once_by_who_may_and_to_somebody_we_know(company: Company) -> None:
    await defined(company)
    refused(await company.hugo.post("/kpis", json=kpi_of(name="Other")), 409, "rule:kpi-code-must-be-new")
    refused(await company.alice.post("/kpis", json=kpi_of(ALICE, code="mine")), 403, "problem:forbidden")
    nobody = kpi_of("0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b", code="nobodys")
    refused(await company.hanna.post("/kpis", json=nobody), 422, "problem:invalid-request")


async def test_a_measurement_is_recorded_once_and_another_body_under_its_id_is_refused(company: Company) -> None:
    kpi = await defined(company)
    first = await company.hugo.post(f"/kpis/{kpi}/measurements", json=figures(190, 200))
    assert (first.status_code, first.json()) == (201, {"id": "tickets-2026-03-30", "outcome": "recorded"})
    again = await company.hugo.post(f"/kpis/{kpi}/measurements", json=figures(190, 200))
    assert again.json()["outcome"] == "already-recorded"
    other = await company.hugo.post(f"/kpis/{kpi}/measurements", json=figures(191, 200))
    assert refused(other, 409, "rule:measurement-id-is-taken")["values"]["differs"] == ["numerator"]
    elsewhen = figures(190, 200) | {"measured_at": "2026-01-30T12:00:00Z"}  # another stream, the same id
    refused(await company.hugo.post(f"/kpis/{kpi}/measurements", json=elsewhen), 409, "rule:measurement-id-is-taken")
    refused(await company.alice.post(f"/kpis/{kpi}/measurements", json=figures(1, 1)), 403, "problem:forbidden")


async def test_a_repeated_request_without_an_id_is_recorded_once_by_its_key(company: Company) -> None:
    kpi, headers = await defined(company), {"Idempotency-Key": "once"}
    body = {name: value for name, value in figures(190, 200).items() if name != "id"}
    first = await company.hugo.post(f"/kpis/{kpi}/measurements", json=body, headers=headers)
    again = await company.hugo.post(f"/kpis/{kpi}/measurements", json=body, headers=headers)
    assert (first.status_code, first.json()) == (201, again.json())
    assert (await series(company, kpi))["measurements"] == 1


async def test_a_correction_counts_and_both_stay_visible(company: Company) -> None:
    kpi = await defined(company)
    await company.hugo.post(f"/kpis/{kpi}/measurements", json=figures(90, 200))
    corrected = figures(190, 200, id="corrected", corrects="tickets-2026-03-30", reason="counted-late")
    assert (await company.hugo.post(f"/kpis/{kpi}/measurements", json=corrected)).status_code == 201
    again = await company.hugo.post(f"/kpis/{kpi}/measurements", json=corrected)
    assert again.json()["outcome"] == "already-recorded"
    otherwise = await company.hugo.post(f"/kpis/{kpi}/measurements", json=corrected | {"reason": "typo"})
    assert refused(otherwise, 409, "rule:measurement-id-is-taken")["values"]["differs"] == ["reason"]
    twice = corrected | {"id": "again"}
    refused(
        await company.hugo.post(f"/kpis/{kpi}/measurements", json=twice), 409, "rule:measurement-is-already-corrected"
    )
    course = await series(company, kpi)
    assert (course["value"], course["measurements"], course["status"]) == ("95", 1, "on-track")
    listed = (await company.alice.get(f"/kpis/{kpi}/measurements")).json()["items"]
    told = [(one["id"], one["value"], one["corrects"], one["corrected_by"], one["reason"]) for one in listed]
    assert told == [
        ("corrected", "95", "tickets-2026-03-30", None, "counted-late"),
        ("tickets-2026-03-30", "45", None, "corrected", None),
    ]


async def test_a_reason_without_a_correction_is_refused(company: Company) -> None:
    kpi = await defined(company)
    said = figures(190, 200, reason="counted-late")
    refused(await company.hugo.post(f"/kpis/{kpi}/measurements", json=said), 409, "rule:only-a-correction-has-a-reason")


async def test_a_correction_of_a_wrong_month_moves_the_figure_there(company: Company) -> None:
    kpi = await defined(company)
    await company.hugo.post(f"/kpis/{kpi}/measurements", json=figures(190, 200))
    moved = figures(190, 200, "2026-02-27", id="moved", corrects="tickets-2026-03-30")
    assert (await company.hugo.post(f"/kpis/{kpi}/measurements", json=moved)).status_code == 201
    points = (await series(company, kpi))["points"]
    assert [(point["starts_on"], point["measurements"]) for point in points] == [("2026-02-01", 1)]


async def test_of_two_corrections_at_the_same_moment_one_is_recorded(company: Company) -> None:
    kpi = await defined(company)
    await company.hugo.post(f"/kpis/{kpi}/measurements", json=figures(90, 200))
    bodies = [
        figures(90 + n, 200, f"2026-0{1 + n % 3}-27", id=f"c-{n}", corrects="tickets-2026-03-30") for n in range(6)
    ]
    answers = await asyncio.gather(*(company.hugo.post(f"/kpis/{kpi}/measurements", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert (await series(company, kpi))["measurements"] == 1


async def test_measurements_lie_neither_in_the_future_nor_of_a_retired_kpi(company: Company) -> None:
    kpi = await defined(company)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()  # noqa: TID251 - the service asks the same clock
    ahead = figures(1, 1) | {"measured_at": tomorrow}
    refused(
        await company.hugo.post(f"/kpis/{kpi}/measurements", json=ahead),
        409,
        "rule:measurement-must-not-lie-in-the-future",
    )
    await company.hugo.post(f"/kpis/{kpi}/retire", json={"reason": "measured-otherwise"})
    refused(await company.hugo.post(f"/kpis/{kpi}/measurements", json=figures(1, 1)), 409, "rule:kpi-is-retired")


async def test_each_of_many_measurements_is_answered_for_itself(company: Company) -> None:
    await defined(company)
    await company.clara.post("/kpis", json=kpi_of(CLARA, code="claras"))
    good = {"kpi": CODE, **figures(190, 200)}
    items: list[Any] = [
        good,
        good | {"numerator": 190.0, "id": "float"},
        good,
        good | {"numerator": "1"},
        good | {"kpi": "unknown", "id": "nowhere"},
        good | {"kpi": "claras", "id": "not-mine"},
        "what",
        good | {"id": "last", "measured_at": "2026-02-27T12:00:00Z"},
    ]
    answer = await company.hugo.post("/kpis/measurements", json={"measurements": items})
    told = answer.json()
    assert (told["recorded"], told["already_recorded"], told["refused"]) == (2, 1, 5)
    problems = [one.get("problem") and one["problem"]["type"].removeprefix("urn:trellis:") for one in told["results"]]
    assert problems == [
        None,
        "problem:invalid-request",
        None,
        "rule:measurement-id-is-taken",
        "rule:kpi-must-be-defined",
        "problem:forbidden",
        "problem:invalid-request",
        None,
    ]
    assert told["results"][1]["problem"]["errors"][0]["field"] == "numerator"
    seen = await company.alice.get("/kpis", headers={"Consistency-Token": answer.headers["Consistency-Token"]})
    refused(seen, 503, "problem:unavailable")  # nothing was delivered yet: the token names what was recorded
    await company.settled()
    seen = await company.alice.get("/kpis", headers={"Consistency-Token": answer.headers["Consistency-Token"]})
    assert seen.status_code == 200


async def test_ten_thousand_measurements_go_in_one_request_and_again_record_nothing(company: Company) -> None:
    await defined(company, kind="number", unit=None, per="1", aggregation="sum", target=None, thresholds=None)
    items = [
        {
            "kpi": CODE,
            "id": f"m-{n}",
            "measured_at": f"2026-0{1 + n % 3}-{1 + n % 28:02}T12:00:00Z",
            "value": f"0.{n:06}",
            "source": "sensor",
        }
        for n in range(10_000)
    ]
    answer = await company.hugo.post("/kpis/measurements", json={"measurements": items})
    assert (answer.status_code, answer.json()["recorded"]) == (200, 10_000)
    again = await company.hugo.post("/kpis/measurements", json={"measurements": items})
    assert (again.json()["recorded"], again.json()["already_recorded"]) == (0, 10_000)
    async with company.service.runtime.engine.connect() as connection:
        stored = await connection.exec_driver_sql("select count(*), sum(value) from kpi_measurements_taken")
        assert stored.one() == (10_000, Decimal("49.995"))
    refused(
        await company.hugo.post("/kpis/measurements", json={"measurements": [*items, items[0]]}),
        422,
        "problem:invalid-request",
    )


CSV = """kpi;id;measured_at;numerator;denominator;source
support.tickets-within-24h;;2026-03-30;190;200;ticket system
support.tickets-within-24h;;2026-03-31;many;200;ticket system

support.tickets-within-24h;row-5;2026-03-29T12:00:00+02:00;180;200;ticket system
"""


async def csv(client: httpx.AsyncClient, content: str | bytes) -> httpx.Response:
    return await client.post("/kpis/measurements/csv", content=content, headers={"Content-Type": "text/csv"})


async def test_a_csv_file_is_answered_line_by_line_and_read_again_changes_nothing(company: Company) -> None:
    kpi = await defined(company)
    told = (await csv(company.hugo, "\ufeff" + CSV)).json()
    assert (told["recorded"], told["refused"]) == (2, 1)
    assert [(one["place"], one["outcome"]) for one in told["results"]] == [
        (2, "recorded"),
        (3, "refused"),
        (5, "recorded"),
    ]
    assert told["results"][1]["problem"]["errors"][0]["field"] == "numerator"
    assert (await csv(company.hugo, CSV)).json()["already_recorded"] == 2
    assert (await series(company, kpi))["value"] == "92.5"


async def test_a_file_that_is_no_such_csv_is_refused_whole(company: Company) -> None:
    for content, field in [
        (b"", "body"),
        (b"\xff\xfe", "body"),
        (b"kpi,colour\n", "heading"),
        (b"kpi,id\n", "heading"),
        (b"kpi,measured_at,source,kpi\n", "heading"),
    ]:
        document = refused(await csv(company.hugo, content), 422, "problem:invalid-request")
        assert document["errors"][0]["field"] == field


async def test_a_series_is_read_by_day_week_month_and_quarter(company: Company) -> None:
    kpi = await defined(company)
    days = [("2026-01-05", 80, 100), ("2026-01-11", 1, 2), ("2026-01-12", 99, 100), ("2026-04-01", 190, 200)]
    for day, numerator, denominator in days:
        await company.hugo.post(f"/kpis/{kpi}/measurements", json=figures(numerator, denominator, day))
    expected = {
        "day": [("2026-01-05", "80"), ("2026-01-11", "50"), ("2026-01-12", "99"), ("2026-04-01", "95")],
        "week": [("2026-01-05", "79.411765"), ("2026-01-12", "99"), ("2026-03-30", "95")],
        "month": [("2026-01-01", "89.108911"), ("2026-04-01", "95")],
        "quarter": [("2026-01-01", "89.108911"), ("2026-04-01", "95")],
    }
    for by, points in expected.items():
        course = await series(company, kpi, by=by)
        assert [(point["starts_on"], point["value"]) for point in course["points"]] == points
        assert (course["value"], course["status"]) == ("92.039801", "at-risk")
    first_quarter = await series(company, kpi, by="quarter", **{"from": "2026-01-01", "to": "2026-03-31"})
    assert (first_quarter["value"], first_quarter["status"]) == ("89.108911", "off-track")
    values = {how: (await series(company, kpi, aggregation=how))["value"] for how in ("mean", "last", "min", "max")}
    assert values == {"mean": "81", "last": "95", "min": "50", "max": "99"}
    wrong = await company.alice.get(f"/kpis/{kpi}/series", params={"aggregation": "sum"})
    refused(wrong, 409, "rule:kpi-aggregation-must-fit-its-kind")


async def test_the_index_of_taken_ids_can_be_rebuilt_from_the_events(company: Company) -> None:
    kpi = await defined(company)
    await company.hugo.post(f"/kpis/{kpi}/measurements", json=figures(90, 200))
    corrected = figures(190, 200, id="corrected", corrects="tickets-2026-03-30")
    await company.hugo.post(f"/kpis/{kpi}/measurements", json=corrected)
    async with company.service.runtime.engine.begin() as connection:
        before = (await connection.execute(TAKEN.select().order_by(TAKEN.c.measurement))).all()
        await taken_measurements.rebuild(connection)
        assert (await connection.execute(TAKEN.select().order_by(TAKEN.c.measurement))).all() == before
    assert len(before) == 2


async def test_without_the_index_the_same_id_would_be_recorded_twice(company: Company) -> None:
    """The negative control: what takes an id once is the index, and nothing else."""
    kpi = await defined(company)
    await company.hugo.post(f"/kpis/{kpi}/measurements", json=figures(90, 200))
    async with company.service.runtime.engine.begin() as connection:
        await connection.execute(text("truncate kpi_measurements_taken"))
    again = await company.hugo.post(f"/kpis/{kpi}/measurements", json=figures(91, 200))
    assert again.json()["outcome"] == "recorded"


async def test_a_system_measures_with_an_administrators_token(company: Company) -> None:
    kpi = await defined(company)
    async with company.service.client(ALICE, Role.ADMIN) as system:
        answer = await system.post(f"/kpis/{kpi}/measurements", json=figures(190, 200))
    assert answer.status_code == 201


async def test_who_may_see_no_kpi_is_told_so_in_plain_words(company: Company) -> None:
    async with company.service.client(EVE, Role.PAYROLL) as payroll:
        document = refused(await payroll.get("/kpis"), 404, "problem:not-found")
    assert document["detail"] == "There is no KPI that you may see."
