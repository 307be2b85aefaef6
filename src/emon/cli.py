"""The command line: the only file, with `serve`, that wires stages together.

Exit codes: 0 done, 1 the input has faults (all listed), 2 wrong usage or unreadable input, 3 a service is
unavailable. Bad input gives one line that names what, where and what to do; a traceback is a bug.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

from emon import __version__, config, serve, telemetry
from emon.domain import instant
from emon.domain.errors import Fault, Unavailable

FAULTY, USAGE, UNAVAILABLE = 1, 2, 3


class _Group(click.Group):
    """Turns the three kinds of wrong into exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Fault as fault:
            _end(str(fault), USAGE)
        except Unavailable as absence:
            _end(str(absence), UNAVAILABLE)
        except BaseExceptionGroup as group:
            for wrong, code in ((Unavailable, UNAVAILABLE), (Fault, USAGE)):
                found = group.subgroup(wrong)
                if found is not None:
                    _end(str(_first(found)), code)
            raise


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _end(message: str, code: int) -> NoReturn:
    click.echo(f"emon: {message}", err=True)
    sys.exit(code)


class InstantType(click.ParamType[int]):
    """An RFC 3339 instant as microseconds UTC."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return instant.parse(value)
        except Fault as fault:
            self.fail(fault.detail, param, ctx)


INSTANT = InstantType()
ANY_PATH = click.Path(path_type=Path)
DATA = click.option("--data", type=ANY_PATH, default=None, help="Folder for everything kept (EMON_DATA).")


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="emon")
def main() -> None:
    """Electronic monitoring: readings in, findings with evidence and worked alerts out."""


# --- files -------------------------------------------------------------------------------------------------

@main.command()
@click.argument("paths", nargs=-1, required=True, type=ANY_PATH)
def check(paths: tuple[Path, ...]) -> None:
    """Check orders, zones, bindings and people; lists every fault as file:line: reason, and as warnings what is
    probably not meant, conditions that cannot all be kept among them."""
    from emon.formats.check import check as check_documents
    from emon.formats.text import Unreadable

    unreadable: list[Unreadable] = []
    checked = check_documents(paths, contradictions=True, set_aside=unreadable)
    for warning in checked.warnings:
        click.echo(f"{warning} (warning)")
    for fault in (*checked.faults, *unreadable):
        click.echo(str(fault))
    counts = (f"{len(checked.orders)} order versions, {len(checked.zones)} zone versions, "
              f"{len(checked.bindings)} bindings, {len(checked.verdicts)} verdicts, {len(checked.people)} people")
    click.echo(f"{counts}: {len(checked.faults)} faults, {len(checked.warnings)} warnings", err=True)
    sys.exit(USAGE if unreadable else FAULTY if checked.faults else 0)


@main.group()
def feed() -> None:
    """Vendors' feeds."""


def _feed_settings(mapping: Path | None, assume_method: str | None) -> dict[str, Any]:
    """What an adapter is to be told of a feed."""
    from emon.ingest import conformance

    settings: dict[str, Any] = {}
    if mapping is not None:
        settings["mapping"] = conformance.read_mapping(mapping)
    if assume_method is not None:
        settings["assume_method"] = assume_method
    return settings


@feed.command("check")
@click.argument("adapter")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--mapping", type=ANY_PATH, default=None, help="Column mapping of a CSV export.")
@click.option("--assume-method", default=None, help="Method of positions that name none.")
def feed_check(adapter: str, file: Path, mapping: Path | None, assume_method: str | None) -> None:
    """A vendor's conformance report: what was understood, what was rejected and why."""
    from emon.ingest import conformance

    report = conformance.report_file(adapter, file, _feed_settings(mapping, assume_method))
    click.echo(report.text())
    sys.exit(FAULTY if report.faults else 0)


@main.command()
@click.option("--orders", "orders", multiple=True, required=True, type=ANY_PATH, help="File or folder; repeatable.")
@click.option("--zones", "zones", multiple=True, type=ANY_PATH, help="File or folder; repeatable.")
@click.option("--readings", "readings", multiple=True, type=ANY_PATH, help="Readings; file order is arrival order.")
@click.argument("more_readings", nargs=-1, type=ANY_PATH)
@click.option("--out", required=True, type=ANY_PATH, help="Findings, NDJSON.")
@click.option("--until", type=INSTANT, default=None, help="Let the clock run to this instant.")
@click.option("--rejects", type=ANY_PATH, default=None, help="Rejected lines with their reasons, NDJSON.")
@click.option("--rules", type=click.IntRange(1, 1), default=1, show_default=True, help="Rule version.")
def evaluate(orders: tuple[Path, ...], zones: tuple[Path, ...], readings: tuple[Path, ...],
             more_readings: tuple[Path, ...], out: Path, until: int | None, rejects: Path | None,
             rules: int) -> None:
    """Evaluate readings of files against orders and zones: the evaluator of the live system, in one go."""
    from emon.batch import evaluate_files

    outcome = evaluate_files(orders, zones, (*readings, *more_readings), out, until, rejects, rules,
                             progress=_progress if sys.stderr.isatty() else None)
    for line in outcome.messages:
        click.echo(line, err=True)
    click.echo(f"{outcome.readings} readings, {outcome.rejected} rejected, {outcome.revisions} revisions of "
               f"{outcome.findings} findings", err=True)
    sys.exit(FAULTY if outcome.faulty or outcome.rejected else 0)


def _progress(done: int) -> None:
    click.echo(f"\r{done:,} readings", err=True, nl=False)


@main.command()
@click.argument("findings", type=ANY_PATH)
@click.argument("truth", type=ANY_PATH)
@click.option("--until", type=INSTANT, default=None, help="Judge what was decided by then (default: all).")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def score(findings: Path, truth: Path, until: int | None, as_json: bool) -> None:
    """Decision quality of findings (NDJSON) against the simulators' truth."""
    from rich.console import Console

    from simulators import score as scoring
    from simulators import truth as truths

    result = scoring.score(scoring.read_findings(findings), truths.read(truth), until)
    if as_json:
        click.echo(json.dumps(result.to_json()))
    else:
        Console(highlight=False).print(result.table())


# --- running -----------------------------------------------------------------------------------------------

def _settings(**overrides: Any) -> config.Settings:
    settings = config.load()
    settings = settings.model_copy(update={k: v for k, v in overrides.items() if v is not None})
    telemetry.set_up(settings.log_format, settings.log_level)
    return settings


def _run(coroutine: Any) -> Any:
    run_loop: Callable[[Any], Any] = asyncio.run
    with contextlib.suppress(ImportError):  # Windows has none
        import uvloop

        run_loop = uvloop.run  # a twentieth faster
    with contextlib.suppress(KeyboardInterrupt):
        return run_loop(coroutine)


@main.command()
@DATA
@click.option("--orders", "orders", multiple=True, type=ANY_PATH,
              help="Orders, zones, bindings, people taken in at start; file or folder; repeatable.")
def up(data: Path | None, orders: tuple[Path, ...]) -> None:
    """Run every role in one process, embedded: SQLite journal and store in the data folder."""
    settings = _settings(data=data)
    serve.data_folder(settings)
    documents = _documents(orders)

    async def work() -> None:
        parts = serve.Parts(settings)
        if documents:
            from emon.ingest.orders import publish

            await parts.open()
            await publish(parts.journal, documents)
        await serve.serve(parts, serve.ROLES, ready=lambda url: click.echo(f"console: {url}", err=True))

    _run(work())


def _documents(paths: tuple[Path, ...]) -> list[Any]:
    """Domain objects of the files; ends with all faults listed where there are any."""
    if not paths:
        return []
    from emon.formats.check import check as check_documents

    checked = check_documents(paths, complete=True)
    if checked.faults:
        for fault in checked.faults:
            click.echo(str(fault), err=True)
        sys.exit(FAULTY)
    return [*checked.people, *checked.zones, *checked.orders, *checked.bindings, *checked.verdicts]


@main.command()
@click.argument("roles", nargs=-1, required=True)
def run(roles: tuple[str, ...]) -> None:
    """Run roles of the pipeline; settings come from the environment (EMON_JOURNAL, EMON_STORE, ...)."""
    serve.check_roles(roles)
    settings = _settings()
    serve.data_folder(settings)
    _run(serve.serve(serve.Parts(settings), roles))


@main.command()
@click.option("--participants", default=120, show_default=True, type=click.IntRange(1, 20_000))
@click.option("--seed", default=1, show_default=True, type=int, help="Another seed is another world.")
@click.option("--speed", default=60.0, show_default=True, type=click.FloatRange(1, 600),
              help="Simulated seconds a second.")
@click.option("--for", "for_s", default=None, type=click.FloatRange(1), help="End after so many seconds and score.")
@click.option("--data", type=ANY_PATH, default=None, help="Keep everything there.  [default: data/demo]")
@click.option("--port", default=8800, show_default=True, type=click.IntRange(0, 65535))
@click.option("--scale-out", is_flag=True, help="On a real Kafka and PostgreSQL, each role a process.")
def demo(participants: int, seed: int, speed: float, for_s: float | None, data: Path | None, port: int,
         scale_out: bool) -> None:
    """The main job on simulated devices: readings stream in, alerts turn up in the console."""
    from emon.demo import Options
    from emon.demo import run as show

    telemetry.set_up("text", "warning")
    sys.exit(_run(show(Options(participants, seed, speed, for_s, data or Path("data/demo"), port, scale_out))))


# --- administration ----------------------------------------------------------------------------------------

@main.group()
def db() -> None:
    """The store's tables."""


@db.command("upgrade")
@DATA
def db_upgrade(data: Path | None) -> None:
    """Bring the tables up to this version."""
    from emon.store.engine import open_engine, open_history
    from emon.store.upgrade import upgrade

    settings = _settings(data=data)
    upgrade(open_engine(config.store_url(settings)))
    upgrade(open_history(config.history_url(settings)))
    click.echo("the store's tables are up to date")


@main.group()
def audit() -> None:
    """The log of what happened to alerts."""


@audit.command("verify")
@DATA
def audit_verify(data: Path | None) -> None:
    """Verify the chain of hashes over every entry of the alerts' log."""
    from emon.store import log, reading

    with _store(data) as (store, _), reading(store) as connection:
        broken = log.verify(connection)
        entries = log.end(connection)
    if broken is not None:
        _end(f"the alerts' log does not hold from entry {broken.seq} on: {broken.reason}", FAULTY)
    click.echo(f"the alerts' log holds: {entries} entries")


@main.group()
def key() -> None:
    """Vendors' keys; stored hashed, shown once."""


@contextlib.contextmanager
def _store(data: Path | None) -> Iterator[tuple[Any, int]]:
    from emon.store.engine import open_engine
    from emon.store.upgrade import upgrade

    settings = _settings(data=data)
    engine = open_engine(config.store_url(settings))
    if engine.dialect.name == "sqlite":
        upgrade(engine)
    try:
        yield engine, serve.clock_of(settings).now_us()
    finally:
        engine.dispose()


@key.command("create")
@click.option("--feed", "feed_name", required=True, help="Name in POST /v1/feeds/{feed}.")
@click.option("--adapter", default=None, help="native, traccar, owntracks or csv_export; needed for a new feed.")
@click.option("--mapping", type=ANY_PATH, default=None, help="Column mapping of a CSV export.")
@click.option("--assume-method", default=None, help="Method of positions that name none.")
@click.option("--sandbox", is_flag=True, help="Checked and answered, but kept from the pipeline.")
@DATA
def key_create(feed_name: str, adapter: str | None, mapping: Path | None, assume_method: str | None,
               sandbox: bool, data: Path | None) -> None:
    """Create a key for a feed (and the feed, if it is new). Prints the key: it is shown this once."""
    from emon.ingest import keys

    settings = _feed_settings(mapping, assume_method)
    with _store(data) as (store, now):
        created = keys.create(store, feed_name, adapter, settings or None, now=now, sandbox=sandbox)
        click.echo(created.key)
        click.echo(f"to sign requests instead: X-Emon-Key {created.key_id}, secret {created.signing_secret}", err=True)
        click.echo(f"key {created.key_id} for feed {feed_name}: keep it now, it is not stored and not shown again",
                   err=True)


@key.command("list")
@DATA
def key_list(data: Path | None) -> None:
    """List keys; never the keys themselves."""
    from emon.ingest import keys

    with _store(data) as (store, _):
        for row in keys.list_keys(store):
            state = f"revoked {instant.iso(row.revoked_at)}" if row.revoked_at else "in force"
            click.echo(f"{row.key_id}\t{row.feed}\t{'sandbox' if row.sandbox else 'live'}\t"
                       f"created {instant.iso(row.created_at)}\t{state}")


@key.command("revoke")
@click.argument("key_id")
@DATA
def key_revoke(key_id: str, data: Path | None) -> None:
    """Revoke a key: requests with it get 401 from now on."""
    from emon.ingest import keys

    with _store(data) as (store, now):
        keys.revoke(store, key_id, now=now)
        click.echo(f"key {key_id} is revoked")


@main.command("export")
@click.argument("folder", type=ANY_PATH)
@DATA
def export_all(folder: Path, data: Path | None) -> None:
    """Write all recorded readings, orders, zones, bindings and findings into a folder, for `emon evaluate`."""
    from emon.recording import export

    settings = _settings(data=data)

    async def work() -> Any:
        parts = serve.Parts(settings)
        await parts.open()
        try:
            return await export(parts.journal, folder)
        finally:
            await parts.close()

    counts = _run(work())
    click.echo(", ".join(f"{count} {name}" for name, count in counts.items()) + f" in {folder}")


@main.command("settings")
def settings_list() -> None:
    """Every setting with its default and meaning, as a Markdown table."""
    click.echo(settings_table())


def settings_table() -> str:
    """The table of deploy/settings.md."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in config.Settings.model_fields.items():
        default = field.default.get_secret_value() if name in config.SECRETS else field.default
        shown = "" if default in ("", None) else f"`{default}`"
        secret = f" Also from the file named by `EMON_{name.upper()}_FILE`." if name in config.SECRETS else ""
        rows.append(f"| `EMON_{name.upper()}` | {shown} | {field.description}{secret} |")
    return "\n".join(rows)


@main.command("schemas")
@click.argument("folder", type=ANY_PATH)
def schemas(folder: Path) -> None:
    """Write the JSON Schemas of all published formats into a folder."""
    from emon.formats import schema

    for path in schema.write(folder):
        click.echo(str(path))
