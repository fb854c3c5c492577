"""LiveKit Agents under test: N agent sessions in one process, without a room or a server.

Audio comes and goes through `AgentSession.input.audio` and `.output.audio`, its own seams for that.
All settings are its defaults: the bundled Silero VAD (`inference.VAD`, 0.25 s of silence), the
bundled audio turn detector (`turn-detector-v1-mini`, which it takes where no LiveKit Cloud key is
set), endpointing 0.3 to 2.5 s, interruptions after 0.5 s with resumption of false ones, preemptive
generation. The recognizer, the responder and the voice are fakes with known times.
"""

import argparse
import asyncio
import logging
import time
from importlib.metadata import version

from livekit import rtc
from livekit.agents import Agent, AgentSession, inference, llm, stt, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS
from livekit.agents.vad import VADEventType
from livekit.agents.voice import io

import caller
from caller import FRAME_S, FRAME_SAMPLES, RATE_HZ

logging.getLogger("livekit.agents").setLevel(logging.ERROR)


class FakeSTT(stt.STT):
    """A streaming recognizer: its final comes a fixed time after the VAD's end of speech.

    A cloud recognizer finds that end itself, at its own cost; this one is told by the session, so
    that no second detector weighs on this process.
    """

    def __init__(self):
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True, interim_results=False, offline_recognize=False
            )
        )
        self.ended = asyncio.Event()

    async def _recognize_impl(self, buffer, *, language=None, conn_options=None):
        raise NotImplementedError

    def stream(self, *, language=None, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        return FakeRecognition(stt=self, conn_options=conn_options)


class FakeRecognition(stt.RecognizeStream):
    async def _run(self):
        async def discard():
            async for _ in self._input_ch:
                pass

        discarding = asyncio.create_task(discard())
        try:
            while True:
                await self._stt.ended.wait()
                self._stt.ended.clear()
                await asyncio.sleep(caller.STT_FINAL_S)
                text = stt.SpeechData(language="en", text="how do i choose a good name")
                self._event_ch.send_nowait(
                    stt.SpeechEvent(
                        type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[text]
                    )
                )
        finally:
            discarding.cancel()


class FakeLLM(llm.LLM):
    """All words at once, a fixed time after the question."""

    def chat(self, *, chat_ctx, tools=None, conn_options=DEFAULT_API_CONNECT_OPTIONS, **_):
        return FakeAnswer(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class FakeAnswer(llm.LLMStream):
    async def _run(self):
        await asyncio.sleep(caller.LLM_FIRST_S)
        delta = llm.ChoiceDelta(role="assistant", content=caller.ANSWER)
        self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))


class FakeTTS(tts.TTS):
    """A streaming voice: a tone, its first piece a fixed time after the first words."""

    def __init__(self):
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=True), sample_rate=RATE_HZ, num_channels=1
        )

    def synthesize(self, text, *, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        raise NotImplementedError

    def stream(self, *, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        return FakeSpeech(tts=self, conn_options=conn_options)


class FakeSpeech(tts.SynthesizeStream):
    async def _run(self, output_emitter):
        output_emitter.initialize(
            request_id="speech",
            sample_rate=RATE_HZ,
            num_channels=1,
            mime_type="audio/pcm",
            stream=True,
        )
        output_emitter.start_segment(segment_id="speech")
        began = False
        async for text in self._input_ch:
            if not isinstance(text, str):
                continue
            self._mark_started()
            if not began:
                await asyncio.sleep(caller.TTS_FIRST_S)
                began = True
            for _ in range(caller.spoken_pieces(text)):
                output_emitter.push(caller.TONE)
        output_emitter.end_segment()


class Input(io.AudioInput):
    def __init__(self):
        super().__init__(label="bench")
        self.queue = asyncio.Queue()

    async def __anext__(self):
        return await self.queue.get()

    async def push(self, pcm):
        self.queue.put_nowait(frame_of(pcm))


def frame_of(pcm):
    return rtc.AudioFrame(
        data=pcm, sample_rate=RATE_HZ, num_channels=1, samples_per_channel=FRAME_SAMPLES
    )


class Output(io.AudioOutput):
    """Plays nothing, in real time: it knows from the clock what would have been heard.

    Lighter than a real sink, which would take every frame out again.
    """

    def __init__(self, to):
        super().__init__(
            label="bench",
            capabilities=io.AudioOutputCapabilities(pause=True),
            sample_rate=RATE_HZ,
        )
        self.to = to
        self.pushed_s = self.left_s = 0.0
        self.since = None
        self.paused = False
        self.flushed = False
        self.timer = None

    def _now_left(self):
        now = time.monotonic()
        if self.since is not None and not self.paused:
            self.left_s = max(0.0, self.left_s - (now - self.since))
        self.since = now
        return now

    async def capture_frame(self, frame):
        await super().capture_frame(frame)
        now = self._now_left()
        if self.pushed_s == 0.0:
            self.on_playback_started(created_at=time.time())
        self.pushed_s += frame.duration
        self.left_s += frame.duration
        if not self.paused:
            self.to.sound(now, frame.duration)

    def flush(self):
        super().flush()
        self.flushed = True
        self._arm()

    def _arm(self):
        if self.timer:
            self.timer.cancel()
            self.timer = None
        if self.flushed and self.pushed_s and not self.paused:
            self._now_left()
            self.timer = asyncio.get_running_loop().call_later(self.left_s, self._finish, False)

    def _finish(self, interrupted):
        if self.timer:
            self.timer.cancel()
            self.timer = None
        if not self.pushed_s:
            return
        self._now_left()
        played = self.pushed_s - self.left_s if interrupted else self.pushed_s
        self.pushed_s = self.left_s = 0.0
        self.since, self.flushed, self.paused = None, False, False
        self.on_playback_finished(playback_position=played, interrupted=interrupted)

    def clear_buffer(self):
        self.to.hush(time.monotonic())
        # Told after the call has returned, as a sink of its own does.
        asyncio.get_running_loop().call_soon(self._finish, True)

    def pause(self):
        super().pause()
        if not self.paused:
            self.to.hush(self._now_left())
            self.paused = True
            self._arm()

    def resume(self):
        super().resume()
        if self.paused:
            now = self._now_left()
            self.paused = False
            if self.left_s:
                self.to.sound(now, self.left_s)
            self._arm()


async def vad_stop_s(clip):
    """What its VAD itself takes from the end of this speech to saying so."""
    stream = inference.VAD(model="silero").stream()
    frames, end_s = clip.alone()
    for frame in frames:
        stream.push_frame(frame_of(frame))
    stream.end_input()
    stops = [ev.timestamp async for ev in stream if ev.type == VADEventType.END_OF_SPEECH]
    assert len(stops) == 1, f"one stretch of speech, not {stops}"
    # It says so when the 20 ms frame has come in which its window ends.
    return -(-round(stops[0] * 1_000) // 20) * FRAME_S - end_s


async def main(args):
    clips = caller.load_clips(args.clips)
    for clip in (*clips[0], clips[1]):
        clip.vad_stop_s = await vad_stop_s(clip)
    rss_base = caller.rss_kib()

    async def start_call(to):
        recognizer = FakeSTT()
        session = AgentSession(stt=recognizer, llm=FakeLLM(), tts=FakeTTS())

        def user_state(event):
            if event.old_state == "speaking" and event.new_state == "listening":
                recognizer.ended.set()

        session.on("user_state_changed", user_state)
        if args.verbose:
            session.on("eot_prediction", print)
        source = Input()
        session.input.audio, session.output.audio = source, Output(to)
        await session.start(agent=Agent(instructions="You answer in two sentences."))
        return source.push

    settings = {
        "version": version("livekit-agents"),
        "vad": "Silero, silence 0.25 s (default)",
        "turn": "turn-detector-v1-mini (default), 0.3 to 2.5 s",
    }
    await caller.measure(
        "LiveKit Agents", settings, start_call, args.calls, args.seconds, clips, rss_base
    )


parser = argparse.ArgumentParser()
parser.add_argument("--calls", type=int, required=True)
parser.add_argument("--seconds", type=float, default=30.0)
parser.add_argument("--clips", required=True)
parser.add_argument("--verbose", action="store_true")
asyncio.run(main(parser.parse_args()))
