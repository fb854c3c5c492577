//! PCM frames, resampling, Opus, VAD, jitter buffer, pacing; pure.
