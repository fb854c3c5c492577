// One WebRTC connection: audio both ways and the data channel `antiphon`.

import { ApiError, sendOffer } from "./api";
import type { Session } from "./call";
import { parseEvent } from "./state";
import type { ClientMessage, EventEnvelope } from "./wire";

/** Name of the data channel that carries events and client messages. */
export const CHANNEL = "antiphon";

/** What a connection reports. Nothing is reported after `retire` or `close`. */
export interface PeerHandlers {
  /** Media flows and the data channel is open. */
  up(): void;
  /** Packets are missing; the browser still tries. */
  unsteady(): void;
  lost(): void;
  /** The offer was not answered. `fatal` where trying again cannot help. */
  offerFailed(fatal: boolean, detail: string): void;
  event(event: EventEnvelope): void;
  /** The agent's audio. */
  audio(stream: MediaStream): void;
}

/** An open or opening connection. */
export interface Peer {
  /** Sends a message; false where the channel is not open. */
  send(message: ClientMessage): boolean;
  /** Sends another microphone's audio, or none. */
  setTrack(track: MediaStreamTrack | null): void;
  /** Reports nothing any more, but says no goodbye: the far side would take it for the call's end. */
  retire(): void;
  /** Says goodbye and frees everything. */
  close(): void;
}

/** Opens a connection to a session; its progress is told to `handlers`. */
export function openPeer(session: Session, track: MediaStreamTrack | null, handlers: PeerHandlers): Peer {
  const pc = new RTCPeerConnection({ iceServers: [] });
  const channel = pc.createDataChannel(CHANNEL, { ordered: true });
  // Sending is negotiated without a microphone too, so that one can be added mid-call.
  const { sender } = pc.addTransceiver(track ?? "audio", { direction: "sendrecv" });
  const tell = gate(handlers);

  const report = (): void => {
    if (pc.connectionState === "failed" || pc.connectionState === "closed") tell.lost();
    else if (pc.connectionState === "disconnected") tell.unsteady();
    else if (pc.connectionState === "connected" && channel.readyState === "open") tell.up();
  };
  pc.onconnectionstatechange = report;
  channel.onopen = report;
  channel.onclose = () => tell.lost();
  channel.onmessage = ({ data }: MessageEvent) => {
    const event = parseEvent(data);
    if (event !== null) tell.event(event);
  };
  pc.ontrack = ({ track: remote, streams }) => tell.audio(streams[0] ?? new MediaStream([remote]));
  void negotiate(pc, session, tell);

  return {
    send: (message) => {
      if (channel.readyState !== "open") return false;
      channel.send(JSON.stringify(message));
      return true;
    },
    setTrack: (next) => void sender.replaceTrack(next).catch(() => undefined),
    retire: () => tell.shut(),
    close: () => {
      tell.shut();
      channel.close();
      pc.close();
    },
  };
}

async function negotiate(pc: RTCPeerConnection, session: Session, tell: Gate): Promise<void> {
  try {
    const offer = await pc.createOffer();
    await pc.setLocalDescription(offer);
    const sdp = await sendOffer(session.webrtcUrl, session.token, offer.sdp ?? "");
    await pc.setRemoteDescription({ type: "answer", sdp });
  } catch (error) {
    if (error instanceof ApiError) tell.offerFailed(error.fatal, error.message);
    else tell.offerFailed(true, "This browser and the server could not agree on a connection.");
  }
}

interface Gate extends PeerHandlers {
  shut(): void;
}

// A closed connection still fires browser events; they concern nobody.
function gate(handlers: PeerHandlers): Gate {
  let open = true;
  return {
    up: () => open && handlers.up(),
    unsteady: () => open && handlers.unsteady(),
    lost: () => open && handlers.lost(),
    offerFailed: (fatal, detail) => open && handlers.offerFailed(fatal, detail),
    event: (event) => open && handlers.event(event),
    audio: (stream) => open && handlers.audio(stream),
    shut: () => {
      open = false;
    },
  };
}
