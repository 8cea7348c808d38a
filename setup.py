"""What pyproject.toml cannot say: the dbt project goes into the wheel, the README without links."""

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
FILES = ("dbt_project.yml", "profiles.yml")
FOLDERS = (
    *("models", "macros", "seeds"),
    *("tests/agreement", "tests/generic", "tests/macros", "tests/reconciliation"),
)
SAMPLE = ("data/sample/README.md", "data/sample/terminal_bench_trials.csv")


class BuildWithProject(build_py):
    """Copies the dbt project and the sample to ``orb_learning/project``, but not when editable."""

    def run(self) -> None:
        """Build the package, then copy."""
        super().run()
        if self.editable_mode:
            return
        project = Path(self.build_lib) / "orb_learning/project"
        shutil.rmtree(project, ignore_errors=True)
        for folder in FOLDERS:
            ignored = shutil.ignore_patterns("make_*.py", "__pycache__")
            shutil.copytree(ROOT / folder, project / folder, ignore=ignored)
        for file in (*FILES, *SAMPLE):
            (project / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, project / file)


def readme() -> str:
    """Return the README with links to files as plain names, as an index has not the files.

    A picture that is a file is left out, with the link around it.
    """
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"\[!\[[^\]]*\]\((?!https?:)[^)]*\)\]\([^)]*\)\n*", "", text)
    return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text)


setup(
    cmdclass={"build_py": BuildWithProject},
    long_description=readme(),
    long_description_content_type="text/markdown",
)
