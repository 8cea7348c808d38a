"""deploy/: its files are well-formed, and their commands run, so far as they can here."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from building import REPOSITORY
from sites import quick_project

from orb_learning.backup.manifests import backups_in
from orb_learning.backup.verify import checksums_match

DEPLOY = REPOSITORY / "deploy"
SERVICE = DEPLOY / "systemd/orb-maintain.service"
TIMER = DEPLOY / "systemd/orb-maintain.timer"
KNOWN_KEYS = {
    "Unit": {"Description", "Wants", "After"},
    "Service": {
        *("Type", "User", "WorkingDirectory", "ExecStart", "SuccessExitStatus"),
        *("StateDirectory", "CacheDirectory", "Environment", "EnvironmentFile"),
        *("Nice", "IOSchedulingClass", "ProtectSystem", "ProtectHome", "PrivateTmp"),
        *("PrivateDevices", "ProtectControlGroups", "ProtectKernelModules"),
        *("ProtectKernelTunables", "RestrictSUIDSGID", "LockPersonality", "NoNewPrivileges"),
        *("UMask", "StateDirectoryMode", "CacheDirectoryMode", "ProtectKernelLogs"),
        *("ProtectClock", "ProtectHostname", "ProtectProc", "RestrictNamespaces"),
        *("RestrictRealtime", "RestrictAddressFamilies", "SystemCallArchitectures"),
    },
    "Timer": {"OnCalendar", "RandomizedDelaySec", "Persistent"},
    "Install": {"WantedBy"},
}
"""The keys that the units use, each of which systemd.unit(5) and its like know."""
CRON_FIELDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
BUILD_FAILED = 8


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quick project with what a clone has besides, and a virtual environment that is ready."""
    folder = quick_project(tmp_path_factory.mktemp("clone"))
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, folder)
    (folder / ".venv/bin").mkdir(parents=True)
    for program in ("python", "orb"):
        (folder / ".venv/bin" / program).symlink_to(Path(sys.executable).with_name(program))
    (folder / ".venv/.ready").touch()
    return folder


def unit(file: Path) -> list[tuple[str, str, str]]:
    """Read a unit strictly: its sections, keys and values, a key as often as it stands there."""
    found, section = [], ""
    for line in file.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
            continue
        setting = re.fullmatch(r"(\w+)=(\S.*)", line)
        assert setting, f"{file.name}: {line!r}"
        found.append((section, setting[1], setting[2]))
    return found


def value(file: Path, key: str) -> str:
    [text] = [text for _, name, text in unit(file) if name == key]
    return text


def bare_environment(**variables: str) -> dict[str, str]:
    """What a daemon starts programs with, and where this package is."""
    kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    return {"PATH": "/usr/bin:/bin", **kept, **variables}


@pytest.mark.parametrize("file", [SERVICE, TIMER])
def test_a_unit_has_only_settings_that_systemd_knows(file: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.read(file)
    assert set(parser.sections()) <= KNOWN_KEYS.keys()
    for section, key, _ in unit(file):
        assert key in KNOWN_KEYS[section], key


def test_systemd_finds_nothing_wrong_with_the_units(project: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for file in (SERVICE, TIMER):
        # It looks whether the command is there.
        text = file.read_text().replace("/opt/orb-learning", str(project))
        (tmp_path / file.name).write_text(text)
    names = [str(tmp_path / file.name) for file in (SERVICE, TIMER)]
    done = subprocess.run(
        ["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    subprocess.run(
        ["systemd-analyze", "calendar", value(TIMER, "OnCalendar")], check=True, capture_output=True
    )


def test_the_timer_starts_every_hour_and_makes_up_for_what_it_missed() -> None:
    assert value(TIMER, "OnCalendar") == "hourly"
    assert value(TIMER, "Persistent") == "true"
    assert value(TIMER, "WantedBy") == "timers.target"


@pytest.mark.slow
def test_the_services_command_writes_only_where_the_unit_lets_it(
    project: Path, tmp_path: Path
) -> None:
    """Everything else is mounted to be read only, as ProtectSystem=strict has it."""
    places = {"%S": tmp_path / "lib", "%C": tmp_path / "cache"}
    writable = [
        places["%S"] / value(SERVICE, "StateDirectory"),
        places["%C"] / value(SERVICE, "CacheDirectory"),
    ]
    variables = {}
    for text in [text for _, key, text in unit(SERVICE) if key == "Environment"]:
        name, _, content = text.partition("=")
        for specifier, place in places.items():
            content = content.replace(specifier, str(place))
        variables[name] = content.replace("/opt/orb-learning", str(project))
    for folder in writable:
        folder.mkdir(parents=True)
    script = f"""
        mount --make-rprivate /
        for folder in {writable[0]} {writable[1]}; do mount --bind $folder $folder; done
        mount -t tmpfs tmpfs /var/tmp
        mount -o remount,bind,ro /
        awk '{{print $2}}' /proc/mounts | grep -vE '^/(proc|sys|dev)|^{tmp_path}|^/var/tmp$' |
            while read place; do mount -o remount,bind,ro $place; done
        if touch {project}/written 2> /dev/null; then exit 99; fi
        cd {project}
        exec {value(SERVICE, "ExecStart").replace("/opt/orb-learning", str(project))}
    """
    unshare = ["unshare", "--mount", "bash", "-c"]
    if subprocess.run([*unshare, "mount --make-rprivate /"], check=False).returncode:
        pytest.skip("this user may not mount, as in an ordinary container")
    done = subprocess.run(
        [*unshare, script],
        env=bare_environment(TMPDIR="/var/tmp", **variables),  # noqa: S108 (a tmpfs of its own)
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(backups_in(writable[0] / "backups")) == 1
    assert (writable[1] / "logs/dbt.log").is_file()


def cron_times(text: str) -> None:
    """Hold five fields of numbers and stars, all that our lines need, against their ranges."""
    fields = text.split(" ")
    assert len(fields) == 5
    for field, (first, last) in zip(fields, CRON_FIELDS, strict=True):
        assert field == "*" or (field.isdecimal() and first <= int(field) <= last), field


def cron_line() -> tuple[str, str]:
    [line] = [
        line
        for line in (DEPLOY / "crontab").read_text().splitlines()
        if line and not line.startswith("#") and not re.fullmatch(r'\w+="[^"]*"', line)
    ]
    *times, command = line.split(" ", 5)
    return " ".join(times), command


def test_the_crontab_is_one_line_that_cron_takes() -> None:
    times, command = cron_line()
    cron_times(times)
    assert (DEPLOY / "crontab").read_bytes().endswith(b"\n"), "cron leaves out a last line without"
    assert "%" not in command, "cron takes it for the end of the line"
    assert re.fullmatch(r"\d+ \* \* \* \*", times), "an hour that is left out lacks its alerts"


@pytest.mark.slow
def test_crons_command_runs_the_maintenance(project: Path, tmp_path: Path) -> None:
    _, command = cron_line()
    command = command.replace("/opt/orb-learning", str(project))
    command = command.replace("/var/lib/orb-learning", str(tmp_path))
    variables = {"HOME": str(tmp_path), "LOGNAME": "orb", "SHELL": "/bin/sh"}
    # Without a project, the build fails at once; that it does shows where the command ended.
    variables["ORB_LEARNING__PROJECT_PATH"] = str(tmp_path)
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env=bare_environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (BUILD_FAILED, "", "")
    said = (tmp_path / "maintain.log").read_text()
    assert all(step in said for step in ("load", "build", "retention", "backup", "prune"))
    assert len(backups_in(tmp_path / "backups")) == 1


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((DEPLOY / "github-actions-maintain.yml").read_text())
    return loaded


def test_the_workflow_has_the_form_of_one(workflow: dict[Any, Any]) -> None:
    # YAML 1.1 takes the key `on` for true, and GitHub does not.
    assert set(workflow) == {"name", True, "concurrency", "permissions", "defaults", "jobs"}
    assert set(workflow[True]) == {"schedule", "workflow_dispatch"}
    [schedule] = workflow[True]["schedule"]
    cron_times(schedule["cron"])
    assert workflow["concurrency"]["cancel-in-progress"] is False
    job = workflow["jobs"]["maintain"]
    assert set(job) == {"runs-on", "timeout-minutes", "env", "steps"}
    for step in job["steps"]:
        assert set(step) <= {"name", "id", "if", "uses", "with", "run"}
        assert ("uses" in step) != ("run" in step)
        assert re.fullmatch(r"actions/[\w/-]+@v\d+", step.get("uses", "actions/none@v1"))
    text = (DEPLOY / "github-actions-maintain.yml").read_text()
    used = set(re.findall(r"\$\{\{ ([\w.]+) \}\}", text))
    assert used == {
        "github.run_id",
        "secrets.LEARNING_DATA_KEY",
        "steps.newest.outputs.file",
    }
    assert {step.get("id") for step in job["steps"]} >= {"newest"}
    saved = [step["with"] for step in job["steps"] if "cache/" in step.get("uses", "")]
    assert [step["key"] for step in saved] == ["learning-data-${{ github.run_id }}"] * 2
    # What a pull request can restore, or a reader download, is encrypted.
    kept = [step["with"]["path"] for step in job["steps"] if "path" in step.get("with", {})]
    assert kept == ["data.tar.gz.enc"] * 2 + ["${{ steps.newest.outputs.file }}"]


@pytest.mark.slow
def test_the_workflows_commands_run_one_after_the_other(
    project: Path, workflow: dict[Any, Any], tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(project, clone, symlinks=True)
    output = tmp_path / "output"
    job = workflow["jobs"]["maintain"]
    variables = {**job["env"], "DATA_KEY": "a key of the test"}
    environment = bare_environment(HOME=str(tmp_path), GITHUB_OUTPUT=str(output), **variables)
    for step in job["steps"]:
        if "run" in step:
            done = subprocess.run(  # as GitHub does with `shell: bash`
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=clone,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            # What can be installed here, is: only what a runner does first is left out.
            assert "up to date" in done.stdout or not step["run"].startswith("make")
    [backup] = backups_in(clone / "data/backups")
    assert output.read_text() == "file=backup.tar.gz.enc\n"
    for file in ("data.tar.gz.enc", "backup.tar.gz.enc"):
        assert (clone / file).read_bytes().startswith(b"Salted__")
    shutil.rmtree(clone / "data")
    decrypt = next(step["run"] for step in job["steps"] if step.get("name") == "Decrypt the data")
    subprocess.run(
        ["bash", "-eo", "pipefail", "-c", decrypt], cwd=clone, env=environment, check=True
    )
    assert checksums_match(backup)


def test_the_readme_names_every_file() -> None:
    text = (DEPLOY / "README.md").read_text()
    for file in DEPLOY.rglob("*"):
        if file.is_file() and file.name != "README.md":
            assert file.name in text or file.suffix in text, file.name


def test_a_builder_of_the_image_sees_what_the_wheel_is_made_of() -> None:
    rules = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    manifest = (REPOSITORY / "MANIFEST.in").read_text().splitlines()
    parts = [
        part
        for verb, *named in map(str.split, manifest)
        for part in named
        if verb in ("graft", "include")
    ]
    assert parts
    assert [part for part in parts if f"!{part}" not in rules] == []
