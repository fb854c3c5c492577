// Stands in for RTCPeerConnection inside the page. Tests inject it before the page's own scripts; it
// is no part of the bundle. `window.rtc` is the test's handle on it.
{
  const rtc = {
    peers: [],
    sent: [],
    /** Connect as soon as the offer is answered. */
    autoConnect: true,
    seq: 0,
    atMs: 0,
    tone: null,
    /** Delivers an event on the newest connection, 700 ms of session time after the one before. */
    emit(event) {
      rtc.seq += 1;
      rtc.atMs += 700;
      const data = JSON.stringify({ seq: rtc.seq, at_ms: rtc.atMs, ...event });
      rtc.peers.at(-1).channel.onmessage?.({ data });
    },
    /** Moves the newest connection to a state. */
    become(state) {
      rtc.peers.at(-1).become(state);
    },
    /** Volume of the agent's tone, 0 to 1. */
    loudness(value) {
      if (rtc.tone !== null) rtc.tone.gain.value = value;
    },
  };

  class Channel {
    readyState = "connecting";
    send(text) {
      rtc.sent.push(JSON.parse(text));
    }
    close() {
      this.readyState = "closed";
      setTimeout(() => this.onclose?.(), 0);
    }
  }

  class PeerConnection {
    connectionState = "new";
    channel = new Channel();
    transceivers = [];
    constructor() {
      rtc.peers.push(this);
    }
    createDataChannel(label, options) {
      this.label = label;
      this.options = options;
      return this.channel;
    }
    addTransceiver(trackOrKind, init) {
      const sender = {
        track: typeof trackOrKind === "string" ? null : trackOrKind,
        async replaceTrack(track) {
          sender.track = track;
        },
      };
      this.transceivers.push({ sender, ...init });
      return { sender };
    }
    async createOffer() {
      return { type: "offer", sdp: "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" };
    }
    async setLocalDescription() {}
    async setRemoteDescription() {
      if (rtc.autoConnect) setTimeout(() => this.become("connected"), 20);
    }
    become(state) {
      this.connectionState = state;
      if (state === "connected" && this.channel.readyState !== "open") {
        this.channel.readyState = "open";
        this.ontrack?.({ streams: [agentAudio()], track: null });
        this.channel.onopen?.();
      }
      this.onconnectionstatechange?.();
    }
    close() {
      this.connectionState = "closed";
    }
  }

  function agentAudio() {
    const context = new AudioContext();
    const out = context.createMediaStreamDestination();
    const tone = context.createOscillator();
    rtc.tone = context.createGain();
    rtc.tone.gain.value = 0;
    tone.frequency.value = 220;
    tone.connect(rtc.tone).connect(out);
    tone.start();
    return out.stream;
  }

  window.rtc = rtc;
  window.RTCPeerConnection = PeerConnection;
}
