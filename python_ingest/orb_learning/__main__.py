"""``python -m orb_learning`` is the command ``orb``."""

from orb_learning.cli import app

if __name__ == "__main__":
    app(prog_name="orb")
