#!/usr/bin/env python3
"""Writes providers/src/route/prices.toml from the price list that the PyPI package litellm carries.

    pip download --no-deps litellm==VERSION && scripts/prices.py litellm-VERSION-….whl YYYY-MM-DD
"""

import json
import pathlib
import sys
import zipfile
from decimal import Decimal

# Our provider and model, the package's key.
MODELS = [
    ("openai", model, model)
    for model in (
        "gpt-4o-mini gpt-4o gpt-4.1-nano gpt-4.1-mini gpt-4.1 gpt-5-nano gpt-5-mini gpt-5 gpt-5.4-nano "
        "gpt-5.4-mini gpt-4o-mini-transcribe gpt-4o-transcribe gpt-transcribe gpt-live-transcribe tts-1 gpt-4o-mini-tts"
    ).split()
]
MODELS += [("anthropic", model, model) for model in "claude-haiku-4-5 claude-haiku-5-5 claude-sonnet-4-5 claude-sonnet-5-5".split()]
MODELS += [
    ("gemini", model, f"gemini/{model}")
    for model in "gemini-2.5-flash-lite gemini-2.5-flash gemini-2.5-pro gemini-3.5-flash-lite gemini-3.5-flash gemini-3.8-flash".split()
]
MODELS += [("mistral", f"mistral-{size}-latest", f"mistral/mistral-{size}-latest") for size in ("small", "medium", "large")]
MODELS += [("groq", model, f"groq/{model}") for model in ("openai/gpt-oss-20b", "openai/gpt-oss-120b")]
MODELS += [("deepgram", model, f"deepgram/{model}") for model in ("nova-2", "nova-3", "aura-2")]
MODELS += [
    ("elevenlabs", model, f"elevenlabs/{model}")
    for model in ("scribe_v2", "eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_multilingual_v2", "eleven_v3")
]
# The package's name of the streaming model's price class.
MODELS += [("assemblyai", "universal-streaming-english", "assemblyai/best")]

REGIONS = {"mistral": "eu"}
FIELDS = [
    ("input_usd_per_million_tokens", "input_cost_per_token", 1_000_000),
    ("cached_usd_per_million_tokens", "cache_read_input_token_cost", 1_000_000),
    ("output_usd_per_million_tokens", "output_cost_per_token", 1_000_000),
    ("usd_per_million_characters", "input_cost_per_character", 1_000_000),
    ("usd_per_hour", "input_cost_per_second", 3_600),
]


def main(wheel: str, date: str) -> None:
    archive = zipfile.ZipFile(wheel)
    name = next(n for n in archive.namelist() if n.startswith("litellm/model_prices"))
    known = json.loads(archive.read(name), parse_float=Decimal)
    package = "-".join(pathlib.Path(wheel).name.split("-")[:2])
    lines = [
        "# Prices of providers, US dollars. Made by scripts/prices.py; do not edit by hand.",
        "# Own prices: a file of the same form, named by ANTIPHON_PRICES, is read over these.",
        f'as_of = "{date}"',
        f'source = "{package} (PyPI), which names the vendors\' price pages given below"',
    ]
    for provider, model, key in MODELS:
        entry = known.get(key)
        if entry is None:
            sys.exit(f"{package} does not know {key}")
        lines += ["", "[[price]]", f'id = "{provider}/{model}"', f'region = "{REGIONS.get(provider, "us")}"']
        spoken = "usd_per_hour" if entry.get("mode") == "audio_transcription" else None
        for field, theirs, factor in FIELDS:
            cost = entry.get(theirs)
            if not cost or (spoken and field != spoken) or (field == "usd_per_hour" and not spoken):
                continue
            lines.append(f'{field} = "{(Decimal(cost) * factor).quantize(Decimal("0.00001")).normalize():f}"')
        if entry.get("output_cost_per_second") and not spoken:
            hourly = Decimal(entry["output_cost_per_second"]) * 3_600
            lines.append(f'usd_per_spoken_hour = "{hourly.quantize(Decimal("0.00001")).normalize():f}"')
        lines.append(f'source = "{entry.get("source") or package}"')
    target = pathlib.Path(__file__).parent.parent / "providers/src/route/prices.toml"
    target.write_text("\n".join(lines) + "\n")
    print(f"{len(MODELS)} prices in {target}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
