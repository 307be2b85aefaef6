"""Every setting: read from the environment as `EMON_<NAME>`, secrets also from the file that
`EMON_<NAME>_FILE` names. Each has a default, its unit in the name and one sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from emon.domain.errors import Fault

SECRETS = ("smtp_password", "webhook_secret", "kafka_password")


class Settings(BaseSettings):
    """All settings of all roles."""

    model_config = SettingsConfigDict(env_prefix="EMON_", extra="ignore")

    data: Path = Field(Path("data"), description="Folder for everything that an embedded emon keeps.")
    journal: str = Field("", description="Journal: `sqlite:///DIR` or `kafka://HOST:PORT[,...]`; empty: "
                                         "SQLite in the data folder.")
    store: str = Field("", description="Store: `sqlite:///FILE` or `postgresql://...`; empty: SQLite in the "
                                       "data folder.")
    partitions: int = Field(4, ge=1, le=1024, description="Partitions of a topic when emon creates it on Kafka.")
    clock: str = Field("system", description="`system`, or `scaled:START_US:SPEED:ORIGIN_NS` for a demo that runs "
                                             "faster than life.")
    metrics_port: int = Field(0, ge=0, le=65535, description="Port of /metrics, /healthz and /readyz in processes "
                                                             "that serve neither ingest nor console; 0: any free.")
    listen_host: str = Field("127.0.0.1", description="Address to listen on; loopback only until there is log-in.")
    listen_port: int = Field(8800, ge=0, le=65535, description="Port of console, API and ingest.")
    public_url: str = Field("", description="Address of the console in messages to people; empty: this machine's "
                                            "loopback with the port of `EMON_LISTEN_PORT`.")
    log_format: str = Field("text", pattern="^(text|json)$", description="Logs as readable `text` or `json` lines.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least severe log level.")
    kafka_username: str = Field("", description="SASL user name at Kafka; empty: no authentication.")
    kafka_password: SecretStr = Field(SecretStr(""), description="SASL password at Kafka.")
    kafka_sasl_mechanism: str = Field("SCRAM-SHA-512", description="SASL mechanism where a user name is set.")
    kafka_tls: bool = Field(False, description="Talk TLS to Kafka.")
    kafka_ca_file: Path | None = Field(None, description="CA certificate for Kafka's TLS; empty: the system's.")
    smtp_host: str = Field("", description="SMTP server for e-mail; empty: no e-mail.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the SMTP server.")
    smtp_username: str = Field("", description="SMTP user name; empty: no authentication.")
    smtp_password: SecretStr = Field(SecretStr(""), description="SMTP password.")
    smtp_starttls: bool = Field(True, description="Upgrade to TLS before authentication.")
    smtp_from: str = Field("emon@localhost", description="Sender of e-mail notifications.")
    webhook_secret: SecretStr = Field(SecretStr(""), description="Key that signs webhook notifications "
                                                                 "(HMAC-SHA256).")
    outbox_dir: Path | None = Field(None, description="Folder that takes notifications as files, for trials.")

    @model_validator(mode="after")
    def _links_lead_here(self) -> Settings:
        self.public_url = self.public_url or f"http://127.0.0.1:{self.listen_port}"
        return self


def load(environ: dict[str, str] | None = None) -> Settings:
    """Settings from the environment. `EMON_X_FILE` gives the content of secret `EMON_X`.

    Raises Fault `bad_setting`, naming every one that cannot be used.
    """
    env = dict(os.environ if environ is None else environ)
    values: dict[str, Any] = {}
    for name in SECRETS:
        path = env.get(f"EMON_{name.upper()}_FILE")
        if path:
            values[name] = _secret(name, Path(path))
    try:
        return Settings(**values)
    except ValidationError as error:
        raise Fault("bad_setting", "; ".join(
            f"EMON_{str(one['loc'][0]).upper()}={one['input']!r:.60}: {one['msg'][:1].lower()}{one['msg'][1:]}"
            for one in error.errors())) from None


def _secret(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Fault("bad_setting", f"EMON_{name.upper()}_FILE={path}: cannot be read: {error}") from None


def journal_url(settings: Settings) -> str:
    """The journal's URL, with the embedded default filled in."""
    return settings.journal or f"sqlite:///{settings.data.resolve() / 'journal'}"


def store_url(settings: Settings) -> str:
    """The store's URL, with the embedded default filled in."""
    return settings.store or f"sqlite:///{settings.data.resolve() / 'emon.sqlite'}"


def history_url(settings: Settings) -> str:
    """Where evaluators keep readings and snapshots: a file of its own beside an embedded store, else the store."""
    store = store_url(settings)
    if not store.startswith("sqlite:"):
        return store
    return store.removesuffix(".sqlite") + "-history.sqlite"


def partitions(settings: Settings) -> int | None:
    """Partitions of new topics: as set on Kafka, one where everything runs on one machine."""
    return settings.partitions if journal_url(settings).startswith("kafka:") else None


def kafka_security(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for the Kafka driver; empty for others."""
    if not journal_url(settings).startswith("kafka:"):
        return {}
    return {"username": settings.kafka_username, "password": settings.kafka_password.get_secret_value(),
            "mechanism": settings.kafka_sasl_mechanism, "tls": settings.kafka_tls,
            "ca_file": settings.kafka_ca_file}
