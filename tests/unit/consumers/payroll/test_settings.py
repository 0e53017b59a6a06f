"""Payroll's settings: named where they are missing or impossible."""

from pathlib import Path

import pytest

from consumers.payroll.settings import Settings, WrongSetting, from_environment

ENOUGH = {"TRELLIS_KAFKA_BOOTSTRAP": "localhost:9092", "TRELLIS_PAYROLL_DATABASE": "payroll.sqlite"}


def test_two_settings_are_enough() -> None:
    assert from_environment(ENOUGH) == Settings(bootstrap="localhost:9092", database=Path("payroll.sqlite"))


def test_each_setting_is_read() -> None:
    everything = {
        "TRELLIS_KAFKA_IDEMPOTENCE": "False",
        "TRELLIS_KAFKA_ASSIGNMENT": "fixed",
        "TRELLIS_PAYROLL_HEALTH_PORT": "8090",
        "TRELLIS_PAYROLL_PAY_GROUPS": "US-MONTHLY, US-WEEKLY",
        "TRELLIS_PAYROLL_PAY": "on-pay-date",
    }
    assert from_environment({**ENOUGH, **everything}) == Settings(
        bootstrap="localhost:9092",
        database=Path("payroll.sqlite"),
        idempotence=False,
        fixed_assignment=True,
        health_port=8090,
        pay_groups=frozenset({"US-MONTHLY", "US-WEEKLY"}),
        pay_on_pay_date=True,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRELLIS_KAFKA_BOOTSTRAP", ""),
        ("TRELLIS_KAFKA_IDEMPOTENCE", "perhaps"),
        ("TRELLIS_KAFKA_ASSIGNMENT", "manual"),
        ("TRELLIS_PAYROLL_HEALTH_PORT", "http"),
        ("TRELLIS_PAYROLL_PAY", "never"),
    ],
)
def test_an_impossible_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=name):
        from_environment({**ENOUGH, name: value})
