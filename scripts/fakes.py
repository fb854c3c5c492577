#!/usr/bin/env python3
"""Streams text, tool calls and errors from our fake language model servers through the vendors' own
clients, unmodified. A fake that they do not understand is wrong.

usage: fakes.py PROGRAM, PROGRAM being the built `fakes` of antiphon-testkit

The clients are installed from PyPI, at the versions of fakes-requirements.txt, into
~/.cache/antiphon; where PyPI cannot be reached the check is SKIPPED."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
REQUIREMENTS = HERE / "fakes-requirements.txt"
NO_NETWORK = ("connection", "name resolution", "timed out", "max retries", "proxy", "unreachable")


def clients():
    """The Python that has the clients; installs them the first time."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    named = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = cache / "antiphon" / f"clients-{named}"
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", folder], capture_output=True, text=True)
    if made.returncode != 0:
        print("SKIPPED vendors' clients: this Python makes no virtual environments (python3-venv)")
        sys.exit(0)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="\n")
        if any(word in done.stderr.lower() for word in NO_NETWORK):
            print("SKIPPED vendors' clients: PyPI cannot be reached")
            sys.exit(0)
        sys.exit("the clients cannot be installed")
    (folder / "complete").touch()
    return python


def main():
    if os.environ.get("ANTIPHON_FAKES") is None:
        program = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            facts = program.stdout.readline()
            environment = dict(os.environ, ANTIPHON_FAKES=facts, PYTHONDONTWRITEBYTECODE="")
            sys.exit(subprocess.run([clients(), __file__], env=environment).returncode)
        finally:
            program.stdin.close()
            program.wait(timeout=10)
    facts = json.loads(os.environ["ANTIPHON_FAKES"])
    failed = 0
    for check in (openai_chat, openai_responses, anthropic_messages, google_gemini, mistral_chat):
        try:
            check(facts)
            print(f"ok      {check.__name__}")
        except Exception as fault:  # noqa: BLE001 - each is reported, and the next one still runs
            failed += 1
            print(f"FAILED  {check.__name__}: {type(fault).__name__}: {fault}")
    sys.exit(1 if failed else 0)


TEXT = "Grüße aus Ulm."
CALLS = [("call00001", "weather", {"place": "Ulm"}), ("call00002", "weather", {"place": "Bonn"})]
SCHEMA = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"],
          "additionalProperties": False}
ASK = {"words": "hello", "words, split": "hello, split", "calls": "the weather of two places",
       "calls, split": "the weather of two places, split"}


def same(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: {got!r}, not {want!r}")


def raises(kind, ask):
    try:
        ask()
    except kind as fault:
        return fault
    raise AssertionError(f"no {kind.__name__}")


def openai_chat(facts):
    import openai

    def client(key):
        return openai.OpenAI(api_key=key, base_url=facts["urls"]["chat"] + "/v1", max_retries=0)

    def ask(text, key=facts["key"]):
        tools = [{"type": "function", "function": {"name": "weather", "strict": True, "parameters": SCHEMA}}]
        return client(key).chat.completions.create(
            model="m", messages=[{"role": "user", "content": text}], tools=tools, stream=True,
            stream_options={"include_usage": True})

    for what, text in ASK.items():
        said, calls, usage = "", {}, None
        for chunk in ask(text):
            usage = chunk.usage or usage
            for choice in chunk.choices:
                said += choice.delta.content or ""
                for part in choice.delta.tool_calls or []:
                    call = calls.setdefault(part.index, ["", "", ""])
                    call[0] += part.id or ""
                    call[1] += part.function.name or ""
                    call[2] += part.function.arguments or ""
        same(what, said, TEXT)
        same(what, [(i, n, json.loads(a)) for i, n, a in calls.values()], CALLS if "calls" in what else [])
        same("usage", (usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details.cached_tokens),
             (110, 7, 64))
    same("retry-after", raises(openai.RateLimitError, lambda: ask("too often")).response.headers["retry-after"], "7")
    raises(openai.AuthenticationError, lambda: ask("hello", key="sk-wrong"))
    raises(openai.APIError, lambda: list(ask("stream error")))


def openai_responses(facts):
    import openai

    def ask(text, key=facts["key"]):
        client = openai.OpenAI(api_key=key, base_url=facts["urls"]["responses"] + "/v1", max_retries=0)
        tools = [{"type": "function", "name": "weather", "strict": True, "parameters": SCHEMA}]
        return client.responses.stream(model="m", input=text, tools=tools)

    for what, text in ASK.items():
        said = ""
        with ask(text) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    said += event.delta
            final = stream.get_final_response()
        same(what, (said, final.output_text), (TEXT, TEXT))
        calls = [(i.call_id, i.name, json.loads(i.arguments)) for i in final.output if i.type == "function_call"]
        same(what, calls, CALLS if "calls" in what else [])
        usage = final.usage
        same("usage", (usage.input_tokens, usage.output_tokens, usage.input_tokens_details.cached_tokens),
             (110, 7, 64))
    raises(openai.RateLimitError, lambda: ask("too often").__enter__())
    raises(openai.AuthenticationError, lambda: ask("hello", key="sk-wrong").__enter__())


def anthropic_messages(facts):
    import anthropic

    def ask(text, key=facts["key"]):
        client = anthropic.Anthropic(api_key=key, base_url=facts["urls"]["anthropic"], max_retries=0)
        tools = [{"name": "weather", "input_schema": SCHEMA}]
        return client.messages.stream(model="m", max_tokens=50, tools=tools,
                                      messages=[{"role": "user", "content": text}])

    for what, text in ASK.items():
        with ask(text) as stream:
            said = "".join(stream.text_stream)
            final = stream.get_final_message()
        same(what, said, TEXT)
        calls = [(b.id, b.name, b.input) for b in final.content if b.type == "tool_use"]
        same(what, calls, CALLS if "calls" in what else [])
        same("stop", final.stop_reason, "tool_use" if "calls" in what else "end_turn")
        usage = final.usage
        total = usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens
        same("usage", (total, usage.cache_read_input_tokens, usage.output_tokens), (110, 64, 7))
    raises(anthropic.RateLimitError, lambda: ask("too often").__enter__())
    raises(anthropic.AuthenticationError, lambda: ask("hello", key="sk-wrong").__enter__())

    def in_stream():
        with ask("stream error") as stream:
            list(stream)

    raises(anthropic.APIStatusError, in_stream)


def google_gemini(facts):
    from google import genai
    from google.genai import errors, types

    def ask(text, key=facts["key"]):
        options = types.HttpOptions(base_url=facts["urls"]["gemini"])
        client = genai.Client(api_key=key, http_options=options)
        weather = types.FunctionDeclaration(name="weather", parameters_json_schema={
            "type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]})
        config = types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=[weather])], max_output_tokens=50,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True))
        chunks = list(client.models.generate_content_stream(model="gemini-3.5-flash", contents=text, config=config))
        client.close()
        return chunks

    for what, text in ASK.items():
        chunks = ask(text)
        parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts or []]
        same(what, "".join(part.text or "" for part in parts), TEXT)
        calls = [part.function_call for part in parts if part.function_call]
        same(what, [(c.id, c.name, c.args) for c in calls], CALLS if "calls" in what else [])
        same("finish", chunks[-1].candidates[0].finish_reason, types.FinishReason.STOP)
        usage = chunks[-1].usage_metadata
        same("usage", (usage.prompt_token_count, usage.cached_content_token_count, usage.candidates_token_count),
             (110, 64, 7))
    same("status", raises(errors.ClientError, lambda: ask("too often")).code, 429)
    same("status", raises(errors.ClientError, lambda: ask("hello", key="sk-wrong")).code, 401)


def mistral_chat(facts):
    from mistralai.client import Mistral
    from mistralai.client import errors

    def ask(text, key=facts["key"]):
        tools = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
        with Mistral(api_key=key, server_url=facts["urls"]["mistral"]) as client:
            with client.chat.stream(model="m", messages=[{"role": "user", "content": text}], tools=tools,
                                    retries=None) as stream:
                return [event.data for event in stream]

    for what, text in ASK.items():
        chunks = ask(text)
        deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
        same(what, "".join(delta.content or "" for delta in deltas), TEXT)
        calls = [call for delta in deltas for call in delta.tool_calls or []]
        calls = [(c.id, c.function.name, json.loads(c.function.arguments)) for c in calls]
        same(what, calls, CALLS if "calls" in what else [])
        usage = chunks[-1].usage
        same("usage", (usage.prompt_tokens, usage.completion_tokens), (110, 7))
    same("status", raises(errors.SDKError, lambda: ask("too often")).status_code, 429)
    same("status", raises(errors.SDKError, lambda: ask("hello", key="sk-wrong")).status_code, 401)


if __name__ == "__main__":
    main()
