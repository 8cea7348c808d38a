"""The seeds of tiers and prices are what their scripts make of the table that NOTICE names."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from building import REPOSITORY

TABLE = "litellm/model_prices_and_context_window_backup.json"
SEEDS = {
    "seeds/make_model_tiers.py": "seeds/model_tiers.csv",
    "seeds/make_model_prices.py": "python_ingest/orb_learning/mappings/seeds/model_prices.csv",
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fetch the table of the one version that NOTICE names; what cannot be fetched fails."""
    (version,) = set(re.findall(r"litellm (\S+),", (REPOSITORY / "NOTICE").read_text()))
    folder = tmp_path_factory.mktemp("litellm")
    pip = [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip, "--dest", folder, f"litellm=={version}"], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract(TABLE, folder))


@pytest.mark.slow
@pytest.mark.parametrize("script", SEEDS)
def test_a_seed_is_what_its_script_makes_of_the_table(
    script: str, table: Path, tmp_path: Path
) -> None:
    for name in (script, SEEDS[script]):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    made = tmp_path / SEEDS[script]
    subprocess.run([sys.executable, tmp_path / script, table], check=True)
    assert made.read_bytes() == (REPOSITORY / SEEDS[script]).read_bytes()
