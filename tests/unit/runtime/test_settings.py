"""Settings: read from the environment, checked at the start, silent about secrets."""

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.runtime.setting_files import WrongSettingFile
from shared.runtime.settings import Settings

KEY = bytes(range(32))
COMPLETE = {
    "TRELLIS_DATABASE_URL": "postgresql+asyncpg://goals:secret@/goals?host=/run/pg",
    "TRELLIS_KEYS_DATABASE_URL": "postgresql+asyncpg://goals:secret@/goals_keys?host=/run/pg",
    "TRELLIS_MASTER_KEY": base64.b64encode(KEY).decode(),
    "TRELLIS_KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "TRELLIS_ISSUER": "http://127.0.0.1:9000",
    "TRELLIS_JWKS_URL": "http://127.0.0.1:9000/jwks.json",
}


def from_environment(monkeypatch: pytest.MonkeyPatch, **changed: str) -> Settings:
    for name, value in {**COMPLETE, **changed}.items():
        monkeypatch.setenv(name, value)
    return Settings()  # pyright: ignore[reportCallIssue] - the environment gives the arguments


def test_a_complete_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = from_environment(monkeypatch, TRELLIS_KAFKA_IDEMPOTENCE="false", TRELLIS_HTTP_PORT="8123")
    assert settings.master_key.get_secret_value() == KEY
    assert settings.kafka_idempotence is False
    assert settings.http_port == 8123
    assert settings.log_format == "json"


def test_a_last_line_break_is_no_part_of_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_KAFKA_SASL_PASSWORD", "hunter2\n")
    broken = {name: f"{value}\n" for name, value in COMPLETE.items()}
    settings = from_environment(monkeypatch, **broken)
    assert settings.master_key.get_secret_value() == KEY
    assert settings.database_url == COMPLETE["TRELLIS_DATABASE_URL"]
    assert settings.kafka_sasl_password is not None
    assert settings.kafka_sasl_password.get_secret_value() == "hunter2"


def test_settings_never_show_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRELLIS_KAFKA_SASL_PASSWORD", "hunter2")
    shown = repr(from_environment(monkeypatch))
    assert "secret" not in shown
    assert "hunter2" not in shown
    assert COMPLETE["TRELLIS_MASTER_KEY"] not in shown
    assert str(KEY) not in shown


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TRELLIS_MASTER_KEY", base64.b64encode(b"short").decode(), "32 bytes, not of 5"),
        ("TRELLIS_MASTER_KEY", "not base64!", "must be base64"),
        ("TRELLIS_DATABASE_URL", "sqlite:///goals", "database_url"),
        ("TRELLIS_KAFKA_ASSIGNMENT", "sticky", "kafka_assignment"),
    ],
)
def test_an_impossible_setting_is_named_and_its_value_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        from_environment(monkeypatch, **{name: value})
    assert said in str(refused.value)
    assert value not in str(refused.value)


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql+asyncpg://goals:from-a-file@postgres/goals\n")
    monkeypatch.setenv("TRELLIS_DATABASE_URL_FILE", str(file))
    settings = _without("TRELLIS_DATABASE_URL", monkeypatch)
    assert settings.database_url == "postgresql+asyncpg://goals:from-a-file@postgres/goals"


def test_what_a_file_holds_is_checked_and_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("not base64!")
    monkeypatch.setenv("TRELLIS_MASTER_KEY_FILE", str(file))
    with pytest.raises(ValidationError) as refused:
        _without("TRELLIS_MASTER_KEY", monkeypatch)
    assert "must be base64" in str(refused.value)
    assert "not base64!" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRELLIS_MASTER_KEY_FILE", str(tmp_path / "nothing"))
    with pytest.raises(WrongSettingFile, match=r"TRELLIS_MASTER_KEY_FILE: .*nothing cannot be read: No such file"):
        _without("TRELLIS_MASTER_KEY", monkeypatch)


def test_a_setting_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRELLIS_MASTER_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(WrongSettingFile, match="TRELLIS_MASTER_KEY is set as well"):
        from_environment(monkeypatch)


def _without(name: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for other in COMPLETE.keys() - {name}:
        monkeypatch.setenv(other, COMPLETE[other])
    monkeypatch.delenv(name, raising=False)
    return Settings()  # pyright: ignore[reportCallIssue] - the environment gives the arguments
