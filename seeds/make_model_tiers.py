"""Make seeds/model_tiers.csv anew from the price table that the PyPI package litellm ships.

    pip download --no-deps litellm
    unzip litellm-*.whl litellm/model_prices_and_context_window_backup.json
    python seeds/make_model_tiers.py litellm/model_prices_and_context_window_backup.json

Rows whose reason is not a price of that table are kept as they are. NOTICE names the table's
version and licence.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from statistics import median
from typing import Any

SEED = Path(__file__).with_name("model_tiers.csv")
COLUMNS = ["name", "model_tier", "reason"]
OF_TABLE = "list price of "
SMALL_UP_TO, MEDIUM_UP_TO = 5.0, 15.0
"""US dollars per million output tokens."""

FAMILIES = re.compile(
    r"(claude|gpt|chatgpt|codex|o[1-9]|gemini|gemma|grok|mistral|ministral|magistral|mixtral"
    r"|codestral|devstral|pixtral|deepseek|command|kimi|glm|qwen|qwq|llama|nova|phi|minimax"
    r"|jamba|sonar|granite|nemotron|jurassic|titan|solar|hermes|mercury|ernie|step|seed"
    r"|longcat|mimo|olmo|palmyra|hunyuan|yi|dbrx)(?=[-.\d]|$)"
)
OTHER_USES = re.compile(r"audio|realtime|transcribe|tts|image|live|search|embed|guard|vision-only")
MAKERS = {
    "openai", "anthropic", "gemini", "xai", "mistral", "deepseek", "cohere_chat", "moonshot",
    "zai", "dashscope", "minimax", "ai21", "perplexity", "meta",
}  # fmt: skip
"""Whose own price, the lowest, goes before the median of those who only serve a model."""
REGION = re.compile(r"^(?:[a-z][a-z0-9]*\.)+(?=[a-z])")
VERSION = re.compile(
    r"(?:[-@](?:20\d\d-?\d\d-?\d\d|latest|preview|exp|v\d+|\d\d-\d\d|\d{4}|default|\d{3}|maas|beta|fp8|turbo-fp8"
    r"|bf16|tee|fast|highspeed))+$"
)


def family(name: str) -> str:
    """Return a model's name without provider, region, version and date."""
    bare = REGION.sub("", name.lower().rsplit("/", 1)[-1]).split(":")[0].replace("_", "-")
    stripped = VERSION.sub("", bare)
    return bare if stripped.isalpha() else stripped  # gemini-exp-1206 says nothing of all gemini


def output_prices(table: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Return each family's list price of a million output tokens, in US dollars."""
    found: dict[str, dict[bool, list[float]]] = {}
    for name, model in table.items():
        price = (model.get("output_cost_per_token") or 0) * 1e6
        short = family(name)
        is_text = model.get("mode") in ("chat", "responses", "completion")
        if price and is_text and FAMILIES.match(short) and not OTHER_USES.search(short):
            by_maker = model.get("litellm_provider") in MAKERS
            found.setdefault(short, {}).setdefault(by_maker, []).append(price)
    return {
        name: min(prices[True]) if True in prices else median(prices[False])
        for name, prices in found.items()
    }


def key(name: str) -> str:
    """Return what the macro model_key makes of a name."""
    return re.sub(r"[._:@ ]", "-", REGION.sub("", name.strip().lower().rsplit("/", 1)[-1]))


def tier(price: float) -> str:
    """Return the tier of a price."""
    return "small" if price <= SMALL_UP_TO else "medium" if price <= MEDIUM_UP_TO else "large"


def rows(table: dict[str, dict[str, Any]], standing: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the rows of the seed: the standing ones of other reasons, and the table's.

    A name is left out where a shorter one that it begins with gives it the same tier.
    """
    kept = [row for row in standing if not row["reason"].startswith(OF_TABLE)]
    known = {key(row["name"]): row["model_tier"] for row in kept}
    made = []
    for name, price in sorted(output_prices(table).items(), key=lambda item: len(key(item[0]))):
        words = key(name).split("-")
        shorter = ("-".join(words[:count]) for count in range(len(words), 0, -1))
        if next((known[each] for each in shorter if each in known), None) == tier(price):
            continue
        if key(name) not in known:
            known[key(name)] = tier(price)
            reason = f"{OF_TABLE}${price:.2f} per million output tokens"
            made.append({"name": name, "model_tier": tier(price), "reason": reason})
    return [*kept, *sorted(made, key=lambda row: row["name"])]


def main(prices: Path) -> None:
    """Write the seed."""
    with SEED.open(newline="") as file:
        standing = list(csv.DictReader(file))
    made = rows(json.loads(prices.read_text()), standing)
    with SEED.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
