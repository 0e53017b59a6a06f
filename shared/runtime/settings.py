"""The settings that every service reads from its environment, each as TRELLIS_<NAME>, or as TRELLIS_<NAME>_FILE."""

import base64
import binascii
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretBytes, SecretStr, StringConstraints, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.eventsourcing.dead_letters import CAP
from shared.runtime.setting_files import SettingFiles
from shared.schemas.values import Zone

MASTER_KEY_BYTES = 32


def _from_base64(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("must be base64") from error
    if len(key) != MASTER_KEY_BYTES:
        raise ValueError(f"must be base64 of {MASTER_KEY_BYTES} bytes, not of {len(key)}")
    return key


MasterKey = Annotated[SecretBytes, BeforeValidator(_from_base64)]
DatabaseUrl = Annotated[str, StringConstraints(pattern=r"^postgresql\+asyncpg://")]


class Settings(BaseSettings):
    """One service's settings; a missing or impossible one stops the process at its start and is named."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", extra="ignore", frozen=True, hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over files over the environment."""
        del dotenv_settings, file_secret_settings
        return init_settings, SettingFiles(settings_cls), env_settings

    @model_validator(mode="before")
    @classmethod
    def _without_last_line_breaks(cls, said: Any) -> Any:
        """A last line break is no part of a value: a Secret that was made of a file has one."""
        return {name: value.rstrip("\r\n") if isinstance(value, str) else value for name, value in said.items()}

    database_url: DatabaseUrl = Field(repr=False, description="The service's own database.")
    keys_database_url: DatabaseUrl = Field(repr=False, description="The database of its data keys alone.")
    master_key: MasterKey = Field(description="base64 of 32 bytes; wraps the data keys.")
    other_master_key: MasterKey | None = Field(
        default=None,
        description="base64 of 32 bytes: opens data keys too, while one master key is exchanged for another.",
    )

    kafka_bootstrap: str = Field(description="HOST:PORT[,HOST:PORT...]")
    kafka_idempotence: bool = Field(default=True, description="Off only for a broker that has no idempotent producer.")
    kafka_assignment: Literal["group", "fixed"] = Field(
        default="group", description="fixed: this one worker reads all partitions and joins no group."
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ca_file: Path | None = Field(default=None, description="PEM; unset: the system's authorities.")

    issuer: str = Field(description="The `iss` that a token must have.")
    audience: str = Field(default="trellis", description="The `aud` that a token must have.")
    jwks_url: str = Field(description="Where the issuer's public keys are.")

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=0, le=65535)

    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Where /metrics alone answers, without a token: a port of the inside. A worker's own has it too.",
    )
    dead_letter_cap: int = Field(
        default=CAP, ge=0, description="Events of one reader that cannot be applied, beyond which a partition stops."
    )

    company_zone: Zone = Field(
        default="UTC", description="The IANA time zone of the company's calendar: when a goal's last day ends."
    )
    development_clock: Path | None = Field(
        default=None, description="Development alone: the file by which the clock is put forward. Unset: real time."
    )
    drain_seconds: float = Field(
        default=1,
        ge=0,
        le=15,
        description="How long a process that is told to stop still serves, not ready any more, before it ends: until "
        "whoever distributes requests has noticed.",
    )
    keep_alive_seconds: int = Field(
        default=100,
        ge=1,
        description="How long a connection is kept without a request: longer than a proxy before it does (nginx and "
        "most load balancers 60 s, Traefik 90 s), so that none is closed under a request that is on its way.",
    )
    stall_seconds: float = Field(
        default=120,
        ge=1,
        description="How long a part of a worker may make no progress while there is work, before the worker ends; "
        "longer than a transaction or a broker's answer takes (30 s).",
    )

    log_format: Literal["json", "text"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
