"""Make the seed model_prices.csv anew from the price table that the PyPI package litellm ships.

    pip download --no-deps litellm
    unzip litellm-*.whl litellm/model_prices_and_context_window_backup.json
    python seeds/make_model_prices.py litellm/model_prices_and_context_window_backup.json

docs/importing.md names the table's version and licence.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

SEED = Path(__file__).parents[1] / "python_ingest/orb_learning/mappings/seeds/model_prices.csv"
COLUMNS = ["model", "input_price", "output_price", "cached_price", "written_price"]
MODES = {"chat", "completion", "embedding", "responses"}


def rows(table: dict[str, dict[str, Any]]) -> list[list[Any]]:
    """Return a row a model: its name, US dollars a token in, out, from and to the cache."""
    priced = {
        name.lower(): [
            model["input_cost_per_token"],
            model.get("output_cost_per_token") or 0,
            model.get("cache_read_input_token_cost", ""),
            model.get("cache_creation_input_token_cost", ""),
        ]
        for name, model in table.items()
        if model.get("mode") in MODES and model.get("input_cost_per_token")
    }
    return [[name, *prices] for name, prices in sorted(priced.items())]


def main(prices: Path) -> None:
    """Write the seed."""
    with SEED.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(json.loads(prices.read_text())))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
