"""Pipecat under test: N pipelines in one process, as its quickstart builds one.

    transport in → STT → user aggregator (Silero VAD, Smart Turn v3) → LLM → TTS → transport out

All settings are Pipecat's own defaults: VAD 0.2 s to start and 0.2 s to stop, default turn
strategies (start by VAD, stop by the bundled Smart Turn v3), interruptions on. The recognizer, the
responder and the voice are fakes with known times; the transport passes raw frames within the
process and paces its output as Pipecat's WebSocket transport does.
"""

import argparse
import asyncio
import time
from importlib.metadata import version

from loguru import logger

# Its default is every debug message to the terminal: not what a deployment pays for.
logger.remove()

import numpy  # noqa: E402, F401
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3  # noqa: E402, F401
from pipecat.audio.vad.silero import SileroVADAnalyzer  # noqa: E402
from pipecat.audio.vad.vad_analyzer import VADState  # noqa: E402
from pipecat.frames.frames import (  # noqa: E402
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline  # noqa: E402
from pipecat.pipeline.worker import PipelineParams, PipelineWorker  # noqa: E402
from pipecat.processors.aggregators.llm_context import LLMContext  # noqa: E402
from pipecat.processors.aggregators.llm_response_universal import (  # noqa: E402
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.services.llm_service import LLMService  # noqa: E402
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings  # noqa: E402
from pipecat.services.stt_service import STTService  # noqa: E402
from pipecat.services.tts_service import TTSService  # noqa: E402
from pipecat.transports.base_input import BaseInputTransport  # noqa: E402
from pipecat.transports.base_output import BaseOutputTransport  # noqa: E402
from pipecat.transports.base_transport import TransportParams  # noqa: E402
from pipecat.utils.time import time_now_iso8601  # noqa: E402
from pipecat.workers.runner import WorkerRunner  # noqa: E402

import caller  # noqa: E402
from caller import FRAME_S, RATE_HZ  # noqa: E402


class FakeSTT(STTService):
    """A streaming recognizer: its final comes a fixed time after the VAD's end of speech."""

    def __init__(self):
        settings = STTSettings(model=None, language=None)
        super().__init__(ttfs_p99_latency=0.2 + caller.STT_FINAL_S, settings=settings)
        self.later = None

    async def run_stt(self, audio):
        yield None

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            self.later = self.create_task(self._final())

    async def _final(self):
        await asyncio.sleep(caller.STT_FINAL_S)
        frame = TranscriptionFrame("how do i choose a good name", "", time_now_iso8601())
        # As of a recognizer that says so: the turn is not kept waiting for more.
        frame.finalized = True
        await self.push_frame(frame)


class FakeLLM(LLMService):
    """All words at once, a fixed time after the question."""

    def __init__(self):
        super().__init__(settings=LLMSettings(model=None))

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        await asyncio.sleep(caller.LLM_FIRST_S)
        await self.push_frame(LLMTextFrame(caller.ANSWER))
        await self.push_frame(LLMFullResponseEndFrame())


class FakeTTS(TTSService):
    """A tone, its first piece a fixed time after the sentence."""

    def __init__(self):
        settings = TTSSettings(model=None, voice=None, language=None)
        super().__init__(push_start_frame=True, push_stop_frames=True, settings=settings)

    async def run_tts(self, text, context_id):
        await asyncio.sleep(caller.TTS_FIRST_S)
        for _ in range(caller.spoken_pieces(text)):
            yield TTSAudioRawFrame(caller.TONE, RATE_HZ, 1, context_id=context_id)


class Input(BaseInputTransport):
    def __init__(self, params):
        super().__init__(params)
        self.ready = asyncio.Event()

    async def start(self, frame):
        await super().start(frame)
        await self.set_transport_ready(frame)
        self.ready.set()

    async def push(self, pcm):
        await self.push_audio_frame(InputAudioRawFrame(pcm, RATE_HZ, 1))


class Output(BaseOutputTransport):
    """Paces as `pipecat.transports.websocket.server` does, and tells the caller what is played."""

    def __init__(self, params, to):
        super().__init__(params)
        self.to = to
        self.next_send = 0.0

    async def start(self, frame):
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, InterruptionFrame):
            self.next_send = 0.0

    async def write_audio_frame(self, frame):
        seconds = len(frame.audio) / 2 / RATE_HZ
        if any(frame.audio):
            self.to.sound(time.monotonic(), seconds)
        wait = max(0.0, self.next_send - time.monotonic())
        await asyncio.sleep(wait)
        self.next_send = (time.monotonic() if wait == 0 else self.next_send) + seconds
        return True


def vad_stop_s(clip):
    """What Pipecat's VAD itself takes from the end of this speech to saying so."""
    vad = SileroVADAnalyzer()
    vad.set_sample_rate(RATE_HZ)
    frames, end_s = clip.alone()
    speaking, stops = False, []
    for nth, frame in enumerate(frames):
        state = vad._run_analyzer(frame)
        if speaking and state == VADState.QUIET:
            stops.append((nth + 1) * FRAME_S)
        speaking = state in (VADState.SPEAKING, VADState.STOPPING)
    assert len(stops) == 1, f"one stretch of speech, not {stops}"
    return stops[0] - end_s


async def main(args):
    clips = caller.load_clips(args.clips)
    for clip in (*clips[0], clips[1]):
        clip.vad_stop_s = vad_stop_s(clip)
    rss_base = caller.rss_kib()
    runner = WorkerRunner(handle_sigint=False)
    running = asyncio.create_task(runner.run(auto_end=False))
    await asyncio.sleep(0.1)

    async def start_call(to):
        params = TransportParams(audio_in_enabled=True, audio_out_enabled=True)
        source, sink = Input(params), Output(params, to)
        context = LLMContext([{"role": "system", "content": "You answer in two sentences."}])
        pair = LLMContextAggregatorPair(
            context, user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
        )
        stages = [source, FakeSTT(), pair.user(), FakeLLM(), FakeTTS(), sink, pair.assistant()]
        rates = PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ)
        worker = PipelineWorker(Pipeline(stages), params=rates)
        await runner.add_workers(worker)
        await asyncio.wait_for(source.ready.wait(), 30)
        return source.push

    settings = {
        "version": version("pipecat-ai"),
        "vad": "Silero, stop 0.2 s (default)",
        "turn": "Smart Turn v3 (default)",
    }
    await caller.measure(
        "Pipecat", settings, start_call, args.calls, args.seconds, clips, rss_base
    )
    await running


parser = argparse.ArgumentParser()
parser.add_argument("--calls", type=int, required=True)
parser.add_argument("--seconds", type=float, default=30.0)
parser.add_argument("--clips", required=True)
asyncio.run(main(parser.parse_args()))
