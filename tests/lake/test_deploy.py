"""deploy/lake/: roles, bucket and keys, and each service's command with its environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lake_servers
import psycopg
import pytest
import yaml
from crash_worker import payload_of
from lakes import REPOSITORY, Lake
from ports import free_port
from serving import wait_until_it_listens

from orb_learning.outbox import Outbox

DEPLOY = REPOSITORY / "deploy/lake"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
TOKEN = "a-token-of-the-test"  # noqa: S105


@dataclass(frozen=True)
class Deployed:
    """The servers, set up as the folder says."""

    postgres: lake_servers.Postgres
    s3_port: int
    secrets: dict[str, str]

    def environment(self, service: str) -> dict[str, str]:
        """What a service's environment is, with this machine's ports."""
        given = {
            name: re.sub(r"\$\{(\w+)\}", lambda found: self.secrets[found[1]], str(value))
            for name, value in SERVICES[service]["environment"].items()
        }
        port = self.postgres.port
        given["ORB_DATABASE"] = given["ORB_DATABASE"].replace(
            "host=postgres", f"host=127.0.0.1 port={port}"
        )
        given["AWS_ENDPOINT_URL"] = given["AWS_ENDPOINT_URL"].replace(
            "s3:8333", f"127.0.0.1:{self.s3_port}"
        )
        return given

    def lake(self, service: str, folder: Path) -> Lake:
        folder.mkdir(exist_ok=True)
        variables = {
            "ORB_OUTBOX": str(folder / "outbox"),
            "ORB_LEARNING__BACKUP_PATH": str(folder / "backups"),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
            **self.environment(service),
        }
        return Lake(self.postgres, "lake", folder, variables)


@pytest.fixture(scope="module")
def deployed(
    postgres: lake_servers.Postgres, s3: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """The scripts, run as their heads say. ``s3`` says whether there is a server's program."""
    assert s3
    folder = tmp_path_factory.mktemp("deployed")
    for name in ("setup.sh", "bucket.sh", "roles.sql"):
        shutil.copy(DEPLOY / name, folder)
    subprocess.run(["sh", folder / "setup.sh"], check=True, cwd="/")
    again = subprocess.run(["sh", folder / "setup.sh"], check=False, capture_output=True, text=True)
    assert again.returncode == 1
    assert "there already" in again.stderr
    assert {(folder / name).stat().st_mode & 0o077 for name in (".env", "s3.json")} == {0}
    secrets = dict(line.split("=") for line in (folder / ".env").read_text().splitlines())
    assert len(set(secrets.values())) == len(secrets)
    subprocess.run(
        [
            *("psql", "--no-psqlrc", "--quiet", f"--file={folder / 'roles.sql'}"),
            f"--dbname={postgres.words} dbname=postgres",
        ],
        env={**os.environ, **secrets},
        check=True,
    )
    with lake_servers.weed_server(folder / "weed", folder / "s3.json") as ports:
        path = f"{Path(lake_servers.weed_program()).parent}:{os.environ['PATH']}"
        master = f"127.0.0.1:{ports['master']}.{ports['master.grpc']}"
        for _ in range(2):
            subprocess.run(
                ["sh", folder / "bucket.sh", master], env={**os.environ, "PATH": path}, check=True
            )
        yield Deployed(postgres, ports["s3"], secrets)
    with psycopg.connect(f"{postgres.words} dbname=postgres", autocommit=True) as admin:
        admin.execute("drop database lake with (force)")
        admin.execute("drop role orb")
        admin.execute("drop role orb_reader")


def test_the_builder_maintains_and_the_reader_reads_only(
    deployed: Deployed, tmp_path: Path
) -> None:
    command = SERVICES["builder"].get("command", "")
    assert command == ""
    assert "orb maintain" in (DEPLOY / "Dockerfile").read_text().splitlines()[-1]
    builder = deployed.lake("builder", tmp_path / "builder")
    writer = Outbox(tmp_path / "builder/outbox")
    assert writer.put("execution", payload_of("00000000-0000-4000-8000-000000000001", 1))
    writer.close()
    # Without a project the build fails at once; the rest goes on, on S3.
    done = builder.run(
        "orb", "maintain", "--json", check=False, ORB_LEARNING__PROJECT_PATH=str(tmp_path)
    )
    outcomes = {step["step"]: step["outcome"] for step in json.loads(done.stdout)["steps"]}
    assert outcomes["backup"] == outcomes["prune"] == "succeeded", done.stdout
    reader = deployed.lake("mcp", tmp_path / "reader")
    (reader.folder / "query.py").write_text(
        "import os\nfrom orb_learning.store import connect\n"
        "with connect(os.environ['ORB_DATABASE'], read_only=True) as lake:\n"
        "    print(lake.execute('select count(*) from raw.executions').fetchall())\n"
    )
    assert reader.run("python", str(reader.folder / "query.py")).stdout == "[(1,)]\n"
    (reader.folder / "outbox").mkdir()
    refused = reader.run("orb", "load", check=False)
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1, refused.stderr


def test_agents_are_served(deployed: Deployed, tmp_path: Path) -> None:
    lake = deployed.lake("mcp", tmp_path / "mcp")
    tokens = lake.folder / "tokens"
    tokens.write_text(f"ada {TOKEN}\n")
    tokens.chmod(0o600)
    port = free_port()
    words = SERVICES["mcp"]["command"].split()
    orb = str(Path(lake_servers.weed_program()).with_name(words[0]))
    process = subprocess.Popen(
        [orb, *words[1:], "--port", str(port)],
        env={**os.environ, **lake.variables},
        cwd=lake.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until_it_listens(process, port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
            assert answer.status == 200
    finally:
        process.terminate()
        process.communicate()


def test_what_the_services_name_is_there() -> None:
    secrets = set(re.findall(r"^(\w+)=", (DEPLOY / "setup.sh").read_text(), re.MULTILINE))
    for name, service in SERVICES.items():
        text = json.dumps(service)
        assert set(re.findall(r"\$\{(\w+)\}", text)) <= secrets, name
        assert set(service.get("depends_on", ())) <= set(SERVICES), name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            made = source in ("./s3.json", *COMPOSE["volumes"])
            assert made or (DEPLOY / source).is_file(), volume
    built = SERVICES["builder"]["build"]
    assert (DEPLOY / built["context"] / built["dockerfile"]).samefile(DEPLOY / "Dockerfile")
    of_a_file = (DEPLOY.parent / "Dockerfile.dockerignore").read_text()
    here = (DEPLOY / "Dockerfile.dockerignore").read_text()
    assert here == of_a_file.replace("constraints.txt", "constraints-lake.txt")
