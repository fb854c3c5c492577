#!/usr/bin/env python3
"""Has our fake recognizers and voices understood by the vendors' own clients, unmodified: audio
through their streaming recognizers, sentences through their streaming voices. A fake that they do
not understand is wrong.

usage: voice_fakes.py PROGRAM, PROGRAM being the built `voice_fakes` of antiphon-testkit

The clients are installed from PyPI, at the versions of voice-fakes-requirements.txt, into
~/.cache/antiphon; where PyPI cannot be reached the check is SKIPPED."""

import asyncio
import base64
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
KEY = "k-test"
#: Audio is sent in pieces of 100 ms, as from a microphone.
PIECE_MS = 100
#: Longest wait for what a fake says.
LONG_S = 10


def main():
    if os.environ.get("ANTIPHON_VOICE_FAKES") is None:
        import fakes

        fakes.REQUIREMENTS = HERE / "voice-fakes-requirements.txt"
        python = fakes.clients()
        program = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            facts = program.stdout.readline()
            # The audio in them is too long for the environment.
            environment = dict(os.environ, ANTIPHON_VOICE_FAKES="stdin", PYTHONDONTWRITEBYTECODE="1")
            sys.exit(subprocess.run([python, __file__], env=environment, input=facts, text=True).returncode)
        finally:
            program.stdin.close()
            program.wait(timeout=10)
    facts = json.load(sys.stdin)
    failed = 0
    for check in (deepgram_listen, assemblyai_streaming, openai_transcription, elevenlabs_scribe,
                  elevenlabs_voice, cartesia_voice, deepgram_aura, openai_speech):
        try:
            check(facts)
            print(f"ok      {check.__name__}")
        except Exception as fault:  # noqa: BLE001 - each is reported, and the next one still runs
            failed += 1
            print(f"FAILED  {check.__name__}: {type(fault).__name__}: {fault}")
    sys.exit(1 if failed else 0)


def same(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: {got!r}, not {want!r}")


def ws(facts, name):
    return facts["urls"][name].replace("http://", "ws://")


def pieces(facts, rate_hz):
    pcm = base64.b64decode(facts["heard"][f"pcm_{rate_hz}"])
    size = rate_hz * PIECE_MS // 1000 * 2
    return [pcm[at:at + size] for at in range(0, len(pcm), size)]


def spoken(facts):
    return facts["spoken"]["text"], base64.b64decode(facts["spoken"]["pcm_24000"])


def deepgram_client(facts, name):
    from deepgram import DeepgramClient
    from deepgram.environment import DeepgramClientEnvironment

    url = facts["urls"][name]
    own = DeepgramClientEnvironment(base=url, production=ws(facts, name), agent=url, agent_rest=url)
    return DeepgramClient(api_key=KEY, environment=own)


def deepgram_listen(facts):
    with deepgram_client(facts, "deepgram").listen.v1.connect(
            model="nova-3", encoding="linear16", sample_rate=16000, interim_results=True) as connection:
        for piece in pieces(facts, 16000):
            connection.send_media(piece)
        connection.send_finalize()
        partials = 0
        for message in connection:
            if message.type == "Results" and not message.is_final:
                partials += 1
            if message.type == "Results" and message.is_final:
                break
        best = message.channel.alternatives[0]
        same("text", best.transcript, facts["heard"]["text"])
        same("from finalize", message.from_finalize, True)
        same("words", [word.word for word in best.words], facts["heard"]["text"].split())
        same("starts", [round(word.start, 1) for word in best.words], [0.0, 0.2, 0.4, 0.6])
        assert partials > 0, "no interim results"
        connection.send_keep_alive()
        connection.send_close_stream()
        same("last", [message.type for message in connection], ["Results", "Metadata"])


def assemblyai_streaming(facts):
    from assemblyai.streaming.v3 import (StreamingClient, StreamingClientOptions, StreamingEvents,
                                         StreamingParameters)

    seen = {"begin": [], "turns": [], "end": [], "errors": []}
    client = StreamingClient(StreamingClientOptions(api_key=KEY, api_host=ws(facts, "assemblyai")))
    client.on(StreamingEvents.Begin, lambda _, event: seen["begin"].append(event))
    client.on(StreamingEvents.Turn, lambda _, event: seen["turns"].append(event))
    client.on(StreamingEvents.Termination, lambda _, event: seen["end"].append(event))
    client.on(StreamingEvents.Error, lambda _, event: seen["errors"].append(event))
    client.connect(StreamingParameters(sample_rate=16000, speech_model="universal-streaming-english"))
    for piece in pieces(facts, 16000):
        client.stream(piece)
    client.force_endpoint()
    until = time.monotonic() + LONG_S
    while not any(turn.end_of_turn for turn in seen["turns"]) and time.monotonic() < until:
        time.sleep(0.01)
    client.disconnect(terminate=True)
    same("errors", seen["errors"], [])
    same("sessions", (len(seen["begin"]), len(seen["end"])), (1, 1))
    last = [turn for turn in seen["turns"] if turn.end_of_turn][0]
    same("text", last.transcript, facts["heard"]["text"])
    same("starts", [round(word.start, -2) for word in last.words], [0, 200, 400, 600])


def openai_transcription(facts):
    import openai

    client = openai.OpenAI(api_key=KEY, base_url=facts["urls"]["openai_transcription"] + "/v1",
                           websocket_base_url=ws(facts, "openai_transcription") + "/v1")
    with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        connection.session.update(session={"type": "transcription", "audio": {"input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": {"model": "gpt-live-transcribe"}, "turn_detection": None}}})
        for piece in pieces(facts, 24000):
            connection.input_audio_buffer.append(audio=base64.b64encode(piece).decode())
        connection.input_audio_buffer.commit()
        kinds, deltas = [], ""
        for event in connection:
            kinds.append(event.type)
            if event.type.endswith(".delta"):
                deltas += event.delta
            if event.type.endswith(".completed") or event.type == "error":
                break
        same("text", event.transcript, facts["heard"]["text"])
        same("deltas", facts["heard"]["text"].startswith(deltas.strip()), True)
        same("begin", kinds[:2], ["session.created", "session.updated"])
        assert "input_audio_buffer.committed" in kinds, kinds
        connection.input_audio_buffer.clear()
        same("cleared", connection.recv().type, "input_audio_buffer.cleared")
        connection.input_audio_buffer.commit()
        same("empty", connection.recv().error.code, "input_audio_buffer_commit_empty")


def elevenlabs_scribe(facts):
    from elevenlabs.realtime.connection import RealtimeEvents
    from elevenlabs.realtime.scribe import AudioFormat, CommitStrategy, ScribeRealtime

    async def run():
        scribe = ScribeRealtime(api_key=KEY, base_url=ws(facts, "scribe"))
        connection = await scribe.connect({
            "model_id": "scribe_v2_realtime", "audio_format": AudioFormat.PCM_16000, "sample_rate": 16000,
            "commit_strategy": CommitStrategy.MANUAL, "include_timestamps": True})
        partials, started = [], []
        done = asyncio.get_running_loop().create_future()
        connection.on(RealtimeEvents.SESSION_STARTED, started.append)
        connection.on(RealtimeEvents.PARTIAL_TRANSCRIPT, partials.append)
        connection.on(RealtimeEvents.COMMITTED_TRANSCRIPT_WITH_TIMESTAMPS,
                      lambda data: done.done() or done.set_result(data))
        connection.on(RealtimeEvents.ERROR, lambda data: done.done() or done.set_exception(RuntimeError(data)))
        for piece in pieces(facts, 16000):
            await connection.send({"audio_base_64": base64.b64encode(piece).decode()})
        await connection.commit()
        committed = await asyncio.wait_for(done, LONG_S)
        await connection.close()
        same("text", committed["text"], facts["heard"]["text"])
        words = [word["text"] for word in committed["words"] if word["type"] == "word"]
        same("words", words, facts["heard"]["text"].split())
        assert partials and started, (partials, started)

    asyncio.run(run())


def elevenlabs_voice(facts):
    """Its client insists on wss, so that only the scheme is put right here."""
    import elevenlabs.realtime_tts as realtime
    from elevenlabs.client import ElevenLabs

    text, pcm = spoken(facts)
    client = ElevenLabs(api_key=KEY, base_url=facts["urls"]["elevenlabs"])
    own = client.text_to_speech
    own._ws_base_url = ws(facts, "elevenlabs")
    assert isinstance(own, realtime.RealtimeTextToSpeechClient), type(own)
    audio = own.convert_realtime("JBFqnCBsd6RMkjVDRZzb", text=iter([text]), model_id="eleven_flash_v2_5",
                                 output_format="pcm_24000")
    same("audio", b"".join(audio) == pcm, True)


def cartesia_voice(facts):
    import cartesia

    text, pcm = spoken(facts)
    client = cartesia.Cartesia(api_key=KEY, base_url=facts["urls"]["cartesia"],
                               websocket_base_url=ws(facts, "cartesia"))
    with client.tts.websocket_connect() as connection:
        connection.send({
            "model_id": "sonic-3.5", "transcript": text, "voice": {"mode": "id", "id": "v"},
            "context_id": "c-1", "add_timestamps": True, "continue": False,
            "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}})
        audio, words = b"", []
        for answer in connection:
            if answer.type == "chunk":
                audio += answer.audio
            elif answer.type == "timestamps":
                words += answer.word_timestamps.words
            elif answer.type in ("done", "error"):
                break
        same("end", answer.type, "done")
        same("audio", audio == pcm, True)
        same("words", words, text.split())
        connection.send({"context_id": "c-1", "cancel": True})


def deepgram_aura(facts):
    from deepgram.speak.v1.types import SpeakV1Text

    text, pcm = spoken(facts)
    with deepgram_client(facts, "aura").speak.v1.connect(
            model="aura-2-thalia-en", encoding="linear16", sample_rate=24000) as connection:
        connection.send_text(SpeakV1Text(type="Speak", text=text))
        connection.send_flush()
        audio, kinds = b"", []
        for message in connection:
            if isinstance(message, bytes):
                audio += message
                continue
            kinds.append(message.type)
            if message.type == "Flushed":
                break
        same("audio", audio == pcm, True)
        same("kinds", kinds, ["Metadata", "Flushed"])
        connection.send_clear()
        same("cleared", connection.recv().type, "Cleared")
        connection.send_close()


def openai_speech(facts):
    import openai

    text, pcm = spoken(facts)
    client = openai.OpenAI(api_key=KEY, base_url=facts["urls"]["openai_speech"] + "/v1", max_retries=0)
    with client.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts", voice="marin", input=text, response_format="pcm") as response:
        same("audio", b"".join(response.iter_bytes()) == pcm, True)
    try:
        client.audio.speech.create(model="m", voice="marin", input=text, response_format="mp3")
    except openai.BadRequestError:
        return
    raise AssertionError("mp3 was accepted")


if __name__ == "__main__":
    main()
