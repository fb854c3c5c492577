// The far side of a real WebRTC connection, played by a second page: answers offers, sends a tone,
// sends events. It shows that the page works with the browser's own WebRTC.

/** Runs in the second page. `window.far` is the test's handle on it. */
export function installFarSide() {
  const far = { peers: [], heard: [], channel: null, seq: 0, levelDb: () => -100 };
  far.answer = async (offer) => {
    const pc = new RTCPeerConnection();
    far.peers.push(pc);
    pc.ondatachannel = ({ channel }) => {
      far.channel = channel;
      channel.onmessage = ({ data }) => far.heard.push(JSON.parse(data));
    };
    pc.ontrack = ({ streams, track }) => far.listen(streams[0] ?? new MediaStream([track]));
    await pc.setRemoteDescription({ type: "offer", sdp: offer });
    const context = new AudioContext();
    const out = context.createMediaStreamDestination();
    const tone = new OscillatorNode(context, { frequency: 220 });
    tone.connect(new GainNode(context, { gain: 0.5 })).connect(out);
    tone.start();
    const [audio] = pc.getTransceivers();
    audio.direction = "sendrecv";
    await audio.sender.replaceTrack(out.stream.getAudioTracks()[0]);
    await pc.setLocalDescription(await pc.createAnswer());
    while (pc.iceGatheringState !== "complete") await new Promise((done) => (pc.onicegatheringstatechange = done));
    return pc.localDescription.sdp;
  };
  far.listen = (stream) => {
    const element = new Audio();
    element.srcObject = stream;
    element.muted = true;
    void element.play();
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 2048 });
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(2048);
    far.levelDb = () => {
      analyser.getFloatTimeDomainData(samples);
      return 10 * Math.log10(samples.reduce((sum, each) => sum + each * each, 1e-10) / samples.length);
    };
  };
  far.emit = (event) => {
    far.seq += 1;
    far.channel.send(JSON.stringify({ seq: far.seq, at_ms: far.seq * 100, ...event }));
  };
  window.far = far;
}
