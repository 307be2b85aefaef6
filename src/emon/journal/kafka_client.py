"""How emon talks to Kafka: connection settings, and what its errors mean to the journal's callers."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
    ProducerFenced,
    SaslAuthenticationFailed,
)

from emon.domain.errors import Fault, Unavailable
from emon.journal.port import Fenced
from emon.limits import KAFKA_STOP_S, KAFKA_TIMEOUT_S

T = TypeVar("T")

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # each of its lines reaches callers as an error, too


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the brokers are and how to log in."""

    bootstrap: str
    username: str = ""
    password: str = ""
    mechanism: str = "SCRAM-SHA-512"
    tls: bool = False
    ca_file: Path | None = None

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of aiokafka's clients. Raises Fault where the CA file cannot be read."""
        said: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "request_timeout_ms": int(KAFKA_TIMEOUT_S * 1000),
            "security_protocol": ("SASL_" if self.username else "") + ("SSL" if self.tls else "PLAINTEXT"),
        }
        if said["security_protocol"] == "SASL_PLAINTEXT" or self.username:
            said |= {"sasl_mechanism": self.mechanism, "sasl_plain_username": self.username,
                     "sasl_plain_password": self.password}
        if self.tls:
            said["ssl_context"] = self._context()
        return said

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise Fault("kafka_ca_file", f"{self.ca_file} cannot be read as a CA certificate: {error}",
                        "EMON_KAFKA_CA_FILE") from error


@contextmanager
def explained(bootstrap: str) -> Iterator[None]:
    """Turns aiokafka's errors into Fenced or Unavailable."""
    try:
        yield
    except (CommitFailedError, ProducerFenced, IllegalStateError) as error:
        raise Fenced("the group was rebalanced since this consumer's last poll") from error
    except SaslAuthenticationFailed as error:
        raise Unavailable(f"Kafka at {bootstrap} refuses the login ({_words(error)}): check "
                          "EMON_KAFKA_USERNAME and _PASSWORD") from error
    except TimeoutError as error:
        raise Unavailable(f"Kafka at {bootstrap} did not answer within {KAFKA_TIMEOUT_S:g} s: check that it "
                          "runs and has enough replicas in sync") from error
    except (KafkaConnectionError, OSError) as error:
        raise Unavailable(f"Kafka at {bootstrap} cannot be reached or refuses the login ({_words(error)}): "
                          "check that it runs, and EMON_KAFKA_TLS, _USERNAME and _PASSWORD") from error
    except KafkaError as error:
        raise Unavailable(f"Kafka at {bootstrap}: {_words(error)}") from error


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


async def in_time(work: Awaitable[T]) -> T:
    """The result, or TimeoutError."""
    return await asyncio.wait_for(work, KAFKA_TIMEOUT_S)


async def stopped(client: Any) -> None:
    """Ends a client of which nothing is expected any more, whatever state it is in."""
    sender = getattr(client, "_sender", None)
    # A producer would try for ever to deliver what it holds, and a broker that comes back would get from it
    # a transaction that nobody ends.
    for task in (getattr(sender, "sender_task", None), getattr(sender, "asking", None)):
        if task is not None:
            task.cancel()
    stopping = asyncio.ensure_future(client.stop())
    done, _ = await asyncio.wait([stopping], timeout=KAFKA_STOP_S)
    if done and not stopping.cancelled():
        stopping.exception()  # seen, and of no consequence
