// The person's microphone: asking for it, saying why there is none, choosing another.

/** What came of asking for the microphone. */
export type MicrophoneState =
  | "off"
  | "asking"
  | "on"
  | "refused"
  | "missing"
  | "busy"
  | "insecure"
  | "unplugged"
  | "skipped";

/** A microphone that can be chosen. */
export interface MicrophoneChoice {
  id: string;
  label: string;
}

/** An open microphone. */
export interface Microphone {
  stream: MediaStream;
  track: MediaStreamTrack;
}

/** A microphone, or why there is none. */
export type MicrophoneResult = { microphone: Microphone } | { trouble: MicrophoneState };

/** Opens a microphone, with what the browser has against echo, noise and low level. Asks the person
 * where the browser must. An `id` that is gone means the default one. */
export async function openMicrophone(id: string | null): Promise<MicrophoneResult> {
  // Browsers hide the whole interface from pages that are neither HTTPS nor localhost.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices?.getUserMedia === undefined) {
    return { trouble: window.isSecureContext ? "missing" : "insecure" };
  }
  try {
    const stream = await devices.getUserMedia({ audio: constraints(id) });
    const track = stream.getAudioTracks()[0];
    return track === undefined ? { trouble: "missing" } : { microphone: { stream, track } };
  } catch (error) {
    return { trouble: troubleOf(error instanceof Error ? error.name : "") };
  }
}

/** Stops capture; the browser's recording sign goes out. */
export function closeMicrophone(microphone: Microphone | null): void {
  microphone?.stream.getTracks().forEach((track) => track.stop());
}

/** The microphones there are. Empty until the person has allowed one. */
export async function listMicrophones(): Promise<MicrophoneChoice[]> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices?.enumerateDevices === undefined) return [];
  const all = await devices.enumerateDevices().catch(() => [] as MediaDeviceInfo[]);
  return all
    .filter(({ kind, deviceId, label }) => kind === "audioinput" && deviceId !== "" && label !== "")
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}

/** What the name of a `getUserMedia` error means (Media Capture and Streams, section 10.2). */
export function troubleOf(name: string): MicrophoneState {
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "missing";
}

function constraints(id: string | null): MediaTrackConstraints {
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    channelCount: 1,
    ...(id === null ? {} : { deviceId: { ideal: id } }),
  };
}
