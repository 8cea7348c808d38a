"""What the project must reach, measured: `python -m benchmarks` (see README.md)."""
