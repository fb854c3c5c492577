//! The floor: what physics asks of a call and nothing else. Each 20 ms and call: datagrams in,
//! Opus decode, voice activity, Opus encode, datagrams out. No session, no jitter buffer, no
//! task; a thread a core, each with its own socket and its share of the calls.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use antiphon_audio::opus::{OpusDecoder, OpusEncoder, PACKET_BYTES_MAX, PACKET_SAMPLES_MAX};
use antiphon_audio::vad::{VadEdge, VoiceActivity};
use antiphon_audio::{CALLER_FRAME_SAMPLES, CALLER_RATE_HZ};
use antiphon_benches::child::{Request, serve as serve_requests};
use antiphon_runtime::measure as names;
use str0m::change::SdpOffer;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::media::{Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap, RtpWrite, SeqNo};
use str0m::{Candidate, Event, Input, Output, Rtc};

const FRAME: Duration = Duration::from_millis(20);
const FRAME_TICKS: u32 = 960;
/// From the detector's edge to the answer, and the answer's length, in frames: as of the engine
/// with its script, so that as much sound is encoded.
const ANSWER_AFTER_FRAMES: u32 = 20;
const ANSWER_FRAMES: u32 = 240;
/// The tone of the scripted voice.
const TONE_HZ: f32 = 440.0;
const TONE_PEAK: f32 = 8_000.0;
/// As of the engine's transport.
const REPORTS: Duration = Duration::from_secs(2);

/// Frames of all calls that were given up because a thread was late: work that the floor did not
/// do, under the engine's name for the same.
static SKIPPED: AtomicU64 = AtomicU64::new(0);

pub(crate) fn serve() -> Result<(), String> {
    let crypto = Arc::new(str0m::crypto::from_feature_flags());
    let certificate = crypto
        .dtls_provider
        .generate_certificate()
        .ok_or("no DTLS certificate can be made")?;
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut workers = Vec::new();
    for _ in 0..cores {
        let (offers, offers_in) = channel();
        let (answers, answers_in) = channel();
        let worker = Worker::new(crypto.clone(), certificate.clone()).map_err(|e| e.to_string())?;
        thread::spawn(move || worker.run(&offers_in, &answers));
        workers.push((offers, answers_in));
    }
    let mut calls = 0;
    let served = serve_requests(|request| match request {
        Request::Metrics => {
            let skipped = SKIPPED.load(Ordering::Relaxed);
            Ok(format!("{} {skipped}\n", names::FRAMES_SKIPPED))
        }
        Request::Offer(offer) => {
            let (offers, answers) = &workers[calls % workers.len()];
            calls += 1;
            offers.send(offer).map_err(|error| error.to_string())?;
            answers.recv().map_err(|error| error.to_string())?
        }
    });
    served.map_err(|error| error.to_string())
}

struct Worker {
    crypto: Arc<CryptoProvider>,
    certificate: DtlsCert,
    socket: UdpSocket,
    local: SocketAddr,
    calls: Vec<Call>,
    by_address: HashMap<SocketAddr, usize>,
    tone: Vec<i16>,
}

impl Worker {
    fn new(crypto: Arc<CryptoProvider>, certificate: DtlsCert) -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        let step = TONE_HZ * std::f32::consts::TAU / CALLER_RATE_HZ as f32;
        Ok(Self {
            crypto,
            certificate,
            local: socket.local_addr()?,
            socket,
            calls: Vec::new(),
            by_address: HashMap::new(),
            // One second holds whole periods.
            tone: (0..CALLER_RATE_HZ)
                .map(|i| ((i as f32 * step).sin() * TONE_PEAK) as i16)
                .collect(),
        })
    }

    fn run(mut self, offers: &Receiver<String>, answers: &Sender<Result<String, String>>) {
        let mut tick_at = Instant::now();
        let mut buffer = vec![0; 2_048];
        loop {
            while let Ok(offer) = offers.try_recv() {
                if answers.send(self.accept(&offer)).is_err() {
                    return;
                }
            }
            tick_at += FRAME;
            let late = Instant::now().saturating_duration_since(tick_at);
            let skipped = (late.as_micros() / FRAME.as_micros()) as u32;
            tick_at += FRAME * skipped;
            let frames = u64::from(skipped) * self.calls.len() as u64;
            SKIPPED.fetch_add(frames, Ordering::Relaxed);
            thread::sleep(tick_at.saturating_duration_since(Instant::now()));
            while let Ok((length, source)) = self.socket.recv_from(&mut buffer) {
                self.take_in(&buffer[..length], source);
            }
            let now = Instant::now();
            for call in &mut self.calls {
                call.tick(now, &self.socket, &self.tone);
            }
        }
    }

    fn accept(&mut self, offer: &str) -> Result<String, String> {
        let offer = SdpOffer::from_sdp_string(offer).map_err(|error| error.to_string())?;
        let mut extensions = ExtensionMap::empty();
        extensions.set(4, Extension::RtpMid);
        let mut rtc = Rtc::builder()
            .set_crypto_provider(self.crypto.clone())
            .set_dtls_cert(self.certificate.clone())
            .set_ice_lite(true)
            .clear_codecs()
            .enable_opus(true, false)
            .set_extension_map(extensions)
            .enable_bwe(None)
            .set_rtp_mode(true)
            .set_reordering_size_audio(0)
            .set_send_buffer_audio(4)
            .set_stats_interval(Some(REPORTS))
            .set_rtcp_report_interval_audio(REPORTS)
            .build(Instant::now());
        let candidate = Candidate::host(self.local, "udp").map_err(|error| error.to_string())?;
        rtc.add_local_candidate(candidate);
        let answer = rtc
            .sdp_api()
            .accept_offer(offer)
            .map_err(|error| error.to_string())?;
        self.calls.push(Call::new(rtc)?);
        Ok(answer.to_sdp_string())
    }

    fn take_in(&mut self, contents: &[u8], source: SocketAddr) {
        let Ok(receive) = Receive::new(Protocol::Udp, source, self.local, contents) else {
            return;
        };
        let input = Input::Receive(Instant::now(), receive);
        let known = self.by_address.get(&source).copied();
        let index = known.or_else(|| self.calls.iter().position(|call| call.rtc.accepts(&input)));
        let Some(index) = index else { return };
        self.by_address.insert(source, index);
        let call = &mut self.calls[index];
        // A connection that fails is seen by its caller.
        let _ = call.rtc.handle_input(input);
        call.drain(&self.socket);
    }
}

struct Call {
    rtc: Rtc,
    decoder: OpusDecoder,
    encoder: OpusEncoder,
    vad: VoiceActivity,
    pcm: Vec<i16>,
    packet: Vec<u8>,
    track: Option<(Mid, Pt)>,
    seq: SeqNo,
    rtp_time: u32,
    /// Frames until the answer begins; and frames left of it.
    answer_in: Option<u32>,
    answering: u32,
}

impl Call {
    fn new(rtc: Rtc) -> Result<Self, String> {
        Ok(Self {
            rtc,
            decoder: OpusDecoder::new(CALLER_RATE_HZ).map_err(|error| error.to_string())?,
            encoder: OpusEncoder::new(CALLER_RATE_HZ).map_err(|error| error.to_string())?,
            vad: VoiceActivity::default(),
            pcm: vec![0; PACKET_SAMPLES_MAX],
            packet: vec![0; PACKET_BYTES_MAX],
            track: None,
            seq: SeqNo::default(),
            rtp_time: 0,
            answer_in: None,
            answering: 0,
        })
    }

    fn tick(&mut self, now: Instant, socket: &UdpSocket, tone: &[i16]) {
        self.answer_in = self.answer_in.map(|frames| frames.saturating_sub(1));
        if self.answer_in == Some(0) {
            self.answer_in = None;
            self.answering = ANSWER_FRAMES;
        }
        if let Some((mid, pt)) = self.track {
            let frame = if self.answering > 0 {
                let from = (ANSWER_FRAMES - self.answering) as usize % 50 * CALLER_FRAME_SAMPLES;
                self.answering -= 1;
                &tone[from..from + CALLER_FRAME_SAMPLES]
            } else {
                &[0; CALLER_FRAME_SAMPLES]
            };
            self.rtp_time = self.rtp_time.wrapping_add(FRAME_TICKS);
            let length = self.encoder.encode(frame, &mut self.packet).unwrap_or(0);
            let mut direct = self.rtc.direct_api();
            if let Some(stream) = direct.stream_tx_by_mid(mid, None) {
                let payload = &self.packet[..length];
                stream.write_rtp(RtpWrite::new(pt, self.seq, self.rtp_time, now, payload));
                self.seq.inc();
            }
        }
        // As above.
        let _ = self.rtc.handle_input(Input::Timeout(now));
        self.drain(socket);
    }

    fn drain(&mut self, socket: &UdpSocket) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => {
                    // What finds no room is lost, as on a network.
                    let _ = socket.send_to(&transmit.contents, transmit.destination);
                }
                Ok(Output::Event(Event::MediaAdded(added))) => {
                    let media = self.rtc.media(added.mid);
                    let pt = media.and_then(|media| media.remote_pts().first().copied());
                    self.track = pt.map(|pt| (added.mid, pt));
                }
                Ok(Output::Event(Event::RtpPacket(packet))) => self.hear(&packet.payload),
                Ok(Output::Event(_)) => {}
                Ok(Output::Timeout(_)) | Err(_) => return,
            }
        }
    }

    fn hear(&mut self, payload: &[u8]) {
        let samples = self.decoder.decode(payload, &mut self.pcm).unwrap_or(0);
        if let Some(VadEdge::Stopped { .. }) = self.vad.push(&self.pcm[..samples]) {
            self.answer_in = Some(ANSWER_AFTER_FRAMES);
        }
    }
}
