"""The caller that all Python sides are given: what it says, when, and what it notes.

The same rules are in `benches/src/bin/peers/caller.rs` for our side; change both or neither.

A call is a cycle of three turns. In each the caller asks a question, waits for the answer, hears it
to its end and rests. In the third it speaks over the answer after a second, and waits for the
answer to that. Phrases begin on a grid of 160 ms of the call's own audio, which is a whole number
of every detector's windows (16 and 32 ms) and of frames (20 ms): so each phrase falls into a
detector's windows as it did when the detector was run over it alone, and what the detector itself
takes can be subtracted.
"""

import array
import asyncio
import json
import os
import sys
import time
import wave

RATE_HZ = 16_000
FRAME_SAMPLES = 320
FRAME_S = 0.02
GRID_FRAMES = 8
SILENCE = bytes(2 * FRAME_SAMPLES)
# Louder than -36 dBFS is speech.
SPEECH_PEAK = 520
# Silence that ends an answer: longer than a pause between two sentences.
ANSWER_OVER_S = 0.7
# An answer that has not begun after this long does not come.
ANSWER_WITHIN_S = 8.0
REST_S = 0.3
# Into an answer before it is spoken over.
BARGE_AFTER_S = 1.0
# Quiet for so long, the agent has stopped.
STOPPED_S = 0.1
# Calls begin spread over the warm-up; what is asked in it is not counted.
WARM_UP_S = 6.0

# What the fakes take, on every side.
STT_FINAL_S = 0.200
LLM_FIRST_S = 0.100
TTS_FIRST_S = 0.100
# What they say, on every side: a tone of 200 ms a word.
ANSWER = "Start with a name that people can spell at once. Then say it aloud to a friend."
WORD_S = 0.2


class Clip:
    """A phrase of 16 kHz mono speech, cut to whole frames behind its last sound."""

    def __init__(self, path):
        with wave.open(path) as file:
            assert file.getframerate() == RATE_HZ and file.getnchannels() == 1, path
            pcm = array.array("h", file.readframes(file.getnframes()))
        loud = [at for at, sample in enumerate(pcm) if abs(sample) > SPEECH_PEAK]
        self.onset_s = loud[0] / RATE_HZ
        self.end_s = (loud[-1] + 1) / RATE_HZ
        frames = -(-(loud[-1] + 1) // FRAME_SAMPLES)
        raw = pcm[: loud[-1] + 1].tobytes().ljust(frames * 2 * FRAME_SAMPLES, b"\0")
        size = 2 * FRAME_SAMPLES
        self.frames = [raw[at : at + size] for at in range(0, len(raw), size)]
        # From the end of speech to the detector's word that it has ended; measured by each side.
        self.vad_stop_s = None

    def alone(self):
        """The clip between silences, as frames, and where its speech ends in them, in seconds."""
        before, after = 80, 75
        frames = [SILENCE] * before + self.frames + [SILENCE] * after
        return frames, before * FRAME_S + self.end_s


def load_clips(folder):
    questions = [Clip(os.path.join(folder, f"question{nth}.wav")) for nth in (1, 2, 3)]
    return questions, Clip(os.path.join(folder, "barge.wav"))


def tone_bytes(seconds):
    """The fake voice: any sound will do, and this is made once."""
    import math

    step = 440.0 * math.tau / RATE_HZ
    samples = (int(8_000 * math.sin(at * step)) for at in range(int(seconds * RATE_HZ)))
    return array.array("h", samples).tobytes()


TONE = tone_bytes(0.1)


def spoken_pieces(text):
    """How many pieces of 100 ms the fake voice makes of `text`."""
    return round(len(text.split()) * WORD_S / 0.1)


class Caller:
    """One caller. `sound` and `hush` tell it what the agent's audio does."""

    def __init__(self, questions, barge, window):
        self.questions, self.barge = questions, barge
        self.window = window
        self.phase, self.until = "rest", 0.0
        self.turn = 0
        self.clip, self.at = None, 0
        self.speech_end, self.onset = 0.0, None
        self.answered_at = 0.0
        self.sound_until = -1.0
        self.over_barge = False
        self.turns, self.barges = [], []
        self.unanswered = self.early = 0

    def sound(self, now, seconds):
        """The agent's sound of so many seconds begins to be played."""
        if now >= self.sound_until + STOPPED_S:
            self._began(now)
        self.sound_until = max(self.sound_until, now) + seconds

    def hush(self, now):
        """What was to be played is not."""
        self.sound_until = min(self.sound_until, now)

    def _began(self, now):
        if self.phase == "talk" and not self.over_barge:
            self._count("early")
        if self.phase == "wait":
            if not self.over_barge and self._counts():
                floor = self.clip.vad_stop_s
                self.turns.append((self.questions.index(self.clip), now - self.speech_end, floor))
            self.phase, self.answered_at = "hear", now

    def _counts(self):
        return self.window[0] <= self.speech_end <= self.window[1]

    def _count(self, what):
        if self._counts():
            setattr(self, what, getattr(self, what) + 1)

    def frame(self, now, began, nth):
        """The `nth` frame since `began`; it is over now."""
        self._watch_barge(now)
        on_grid = nth % GRID_FRAMES == 0
        if self.phase == "hear":
            speaks_over = self.turn % 3 == 2 and not self.over_barge
            if speaks_over and on_grid and now >= self.answered_at + BARGE_AFTER_S:
                self.over_barge = True
                self._talk(self.barge, began, nth)
                if now < self.sound_until:
                    self.onset = began + nth * FRAME_S + self.barge.onset_s
            elif now >= self.sound_until + ANSWER_OVER_S:
                self._rest(now)
        elif self.phase == "wait" and now >= self.speech_end + ANSWER_WITHIN_S:
            self._count("unanswered")
            self._rest(now)
        elif self.phase == "rest" and on_grid and now >= self.until:
            self._talk(self.questions[self.turn % 3], began, nth)
        if self.phase != "talk":
            return SILENCE
        frame = self.clip.frames[self.at]
        self.at += 1
        if self.at == len(self.clip.frames):
            # What is still heard now is not the answer.
            self.phase = "wait"
        return frame

    def _watch_barge(self, now):
        if self.onset is None or now < self.sound_until + STOPPED_S:
            return
        took = self.sound_until - self.onset
        if self._counts():
            self.barges.append(took)
        self.onset = None

    def _talk(self, clip, began, nth):
        self.phase, self.clip, self.at = "talk", clip, 0
        self.speech_end = began + nth * FRAME_S + clip.end_s

    def _rest(self, now):
        self.phase, self.until = "rest", now + REST_S
        self.turn += 1
        self.over_barge, self.onset = False, None


def rss_kib():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def cpu_s():
    """User and system time of this process: fields 14 and 15 of /proc/self/stat."""
    with open("/proc/self/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def feed(caller, push, began, end, late):
    """Pushes a frame every 20 ms; one that was held up is late and not left out."""
    nth = 0
    while True:
        due = began + (nth + 1) * FRAME_S
        wait = due - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        now = time.monotonic()
        if now >= end:
            return
        late[0] = max(late[0], now - due)
        await push(caller.frame(now, began, nth))
        nth += 1


async def measure(name, settings, start_call, calls, seconds, clips, rss_base):
    """Runs `calls` calls for the warm-up and `seconds`, prints the result and ends the process.

    `start_call(caller)` makes a session that plays to `caller` and returns what takes its frames.
    """
    questions, barge = clips
    window = [0.0, 0.0]
    callers, pushes = [], []
    made_at = time.monotonic()
    for _ in range(calls):
        caller = Caller(questions, barge, window)
        pushes.append(await start_call(caller))
        callers.append(caller)
    took_to_start = time.monotonic() - made_at
    begin = time.monotonic() + 0.5
    window[0], window[1] = begin + WARM_UP_S, begin + WARM_UP_S + seconds
    # The last turns of the window are heard to their beginning.
    late, end = [0.0], window[1] + 1.5
    feeds = [
        asyncio.create_task(feed(caller, push, begin + 4.0 * nth / calls, end, late))
        for nth, (caller, push) in enumerate(zip(callers, pushes))
    ]
    await asyncio.sleep(window[0] - time.monotonic())
    cpu, at = cpu_s(), time.monotonic()
    await asyncio.sleep(max(0.0, window[1] - time.monotonic()))
    cpu, wall = cpu_s() - cpu, time.monotonic() - at
    rss = rss_kib()
    await asyncio.wait(feeds, timeout=20)
    for failed in (task.exception() for task in feeds if task.done()):
        if failed:
            raise failed
    fakes_s = STT_FINAL_S + LLM_FIRST_S + TTS_FIRST_S
    result = {
        "side": name,
        "settings": settings,
        "calls": calls,
        "seconds": seconds,
        "start_s": took_to_start,
        "turns": [
            {"clip": clip, "reply_s": reply, "floor_s": floor + fakes_s}
            for caller in callers
            for clip, reply, floor in caller.turns
        ],
        "barges_s": [took for caller in callers for took in caller.barges],
        "unanswered": sum(caller.unanswered for caller in callers),
        "early": sum(caller.early for caller in callers),
        "cpu_s": cpu,
        "wall_s": wall,
        "rss_base_kib": rss_base,
        "rss_kib": rss,
        "feed_late_s_max": late[0],
    }
    print("RESULT " + json.dumps(result), flush=True)
    sys.stderr.flush()
    # Taking sessions down is not measured, and under overload takes long.
    os._exit(0)
