/* Generated from docs/events.schema.json by `npm run types`. Do not edit. */

/**
 * The name of a personality file without its ending, e.g. `cal`.
 */
export type AgentId = string;
/**
 * What a client may say during a call, on the data channel or the event WebSocket.
 */
export type ClientMessage =
  | {
      /**
       * 1 to 2,000 characters.
       */
      text: string;
      type: "user_text";
    }
  | {
      /**
       * True when muted.
       */
      muted: boolean;
      type: "mute";
    }
  | {
      type: "interrupt";
    }
  | {
      /**
       * True while it is held.
       */
      pressed: boolean;
      type: "talk";
    }
  | {
      type: "commit_turn";
    }
  | {
      /**
       * `0` to `9`, `*`, `#`, `A` to `D`.
       */
      key: string;
      type: "dtmf";
    }
  | {
      type: "hang_up";
    }
  | {
      type: "ping";
    };
/**
 * One event as sent: the event's own fields beside a sequence number and a time.
 */
export type EventEnvelope = {
  /**
   * Milliseconds since session start.
   */
  at_ms: number;
  /**
   * Counts from 1 within a session, without gaps; a client that reconnects sees where it was.
   */
  seq: number;
} & EventEnvelope1;
export type EventEnvelope1 =
  | {
      agent: AgentId;
      /**
       * The agent's name as shown to people.
       */
      agent_name: string;
      /**
       * What has been said so far, oldest first.
       */
      history: Message[];
      recognizer: RecognizerView;
      /**
       * True where this connection continues a session that was connected before.
       */
      resumed: boolean;
      session: SessionId;
      type: "session_started";
    }
  | {
      state: AgentState;
      type: "agent_state";
    }
  | {
      /**
       * True at onset, false at the end.
       */
      speaking: boolean;
      type: "user_speech";
    }
  | {
      /**
       * True once the turn is over and the text will not change.
       */
      final: boolean;
      /**
       * The whole turn so far.
       */
      text: string;
      turn: TurnId;
      type: "user_transcript";
    }
  | {
      agent: AgentId;
      /**
       * Its name as shown to people.
       */
      agent_name: string;
      type: "agent_changed";
    }
  | {
      type: "user_away";
    }
  | {
      /**
       * The tool's name.
       */
      name: string;
      /**
       * True at its start, false at its end.
       */
      running: boolean;
      turn: TurnId;
      type: "tool";
    }
  | {
      segment: SegmentId;
      /**
       * Its words.
       */
      text: string;
      turn: TurnId;
      type: "agent_text";
    }
  | {
      /**
       * UTF-16 code units of the sentence's text heard so far (what JavaScript's `slice` counts).
       */
      heard_utf16: number;
      segment: SegmentId;
      turn: TurnId;
      type: "agent_heard";
    }
  | {
      message: Message;
      type: "message_committed";
    }
  | {
      timeline: TurnTimeline;
      type: "turn_timeline";
    }
  | {
      /**
       * Seconds of talk so far.
       */
      seconds: number;
      type: "meter";
    }
  | {
      /**
       * Speech to text.
       */
      hear_nanodollars: number;
      /**
       * Text to speech.
       */
      speak_nanodollars: number;
      /**
       * Language.
       */
      think_nanodollars: number;
      type: "cost";
    }
  | {
      /**
       * How it failed, e.g. `too_slow`.
       */
      fault: string;
      /**
       * Who failed, as provider and model.
       */
      from: string;
      /**
       * `hear`, `think` or `speak`.
       */
      stage: string;
      /**
       * Who goes on; absent where nobody is left.
       */
      to?: string | null;
      type: "provider_changed";
    }
  | {
      state: SafetyState;
      type: "safety";
    }
  | {
      code: NoticeCode;
      /**
       * A sentence that can be shown.
       */
      message: string;
      type: "notice";
    }
  | {
      /**
       * Milliseconds until the call is ended.
       */
      in_ms: number;
      reason: CloseReason;
      type: "session_ending";
    }
  | {
      reason: CloseReason;
      /**
       * Seconds of talk that were counted.
       */
      seconds: number;
      speculation?: SpeculationView;
      type: "session_ended";
    };
/**
 * Who said it.
 */
export type Role = "user" | "agent" | "tool_call" | "tool_result";
/**
 * One call of a tool, named by the responder. Unique within a session.
 */
export type ToolCallId = string;
/**
 * One exchange: what the person said and what was answered. Counts from 1 within a session;
 * the greeting is turn 0.
 */
export type TurnId = number;
/**
 * One call: `sess_` and 26 characters of base 32.
 */
export type SessionId = string;
/**
 * What the agent is doing.
 */
export type AgentState = "listening" | "thinking" | "speaking";
/**
 * One sentence-sized piece of agent speech. Counts from 1 within a session.
 */
export type SegmentId = number;
/**
 * The safety state of a session, rising at once and falling only by rule.
 */
export type SafetyState = "NORMAL" | "ELEVATED_CONCERN" | "HIGH_RISK" | "SAFETY_MODE";
/**
 * What a [`Event::Notice`] is about.
 */
export type NoticeCode =
  | "bad_message"
  | "recognizer_trouble"
  | "responder_trouble"
  | "voice_trouble"
  | "replaced"
  | "voicemail"
  | "hand_off_trouble";
/**
 * Why a session ended.
 */
export type CloseReason =
  | "user_hung_up"
  | "agent_hung_up"
  | "deleted"
  | "connection_lost"
  | "never_connected"
  | "drained"
  | "time_limit"
  | "user_away"
  | "too_many_failures"
  | "voicemail"
  | "internal_error";
/**
 * Where a session stands.
 */
export type SessionStatus = "waiting" | "connected" | "reconnecting" | "ended";

/**
 * Everything a client reads or writes, under one root so that one file describes it.
 */
export interface Wire {
  agent: AgentView;
  client_message: ClientMessage;
  create_session: CreateSession;
  event: EventEnvelope;
  problem: Problem;
  session: SessionView;
  session_created: SessionCreated;
}
/**
 * An entry of `GET /v1/agents`.
 */
export interface AgentView {
  /**
   * Accent colour of its card, `#rrggbb`.
   */
  color: string;
  /**
   * An emoji for its card.
   */
  emoji: string;
  id: AgentId;
  /**
   * Its name.
   */
  name: string;
  /**
   * Things to ask it.
   */
  suggestions: string[];
  /**
   * One sentence for its card.
   */
  tagline: string;
  /**
   * Its role in two or three words, e.g. `Web Wizard`.
   */
  title: string;
  /**
   * Its voice.
   */
  voice: string;
}
/**
 * `POST /v1/sessions`.
 */
export interface CreateSession {
  agent: AgentId;
}
/**
 * One entry of the history: what a person said, or what they heard the agent say.
 */
export interface Message {
  /**
   * Milliseconds since session start.
   */
  at_ms: number;
  /**
   * True where the person cut the agent off: `text` ends with the last word they heard.
   */
  interrupted: boolean;
  role: Role;
  /**
   * The words.
   */
  text: string;
  /**
   * The tool, for [`Role::ToolCall`] and [`Role::ToolResult`].
   */
  tool?: ToolRef | null;
  turn: TurnId;
}
/**
 * Which call of which tool a history entry is about.
 */
export interface ToolRef {
  id: ToolCallId;
  /**
   * The tool.
   */
  name: string;
}
/**
 * Which recognizer listens, and what to do for a better one.
 */
export interface RecognizerView {
  /**
   * One line for people where it is a last resort, with the command that gives a better one.
   */
  advice?: string | null;
  /**
   * Its name, e.g. `pocketsphinx`.
   */
  name: string;
}
/**
 * Where the time of one turn went. All times are milliseconds since the end of the person's
 * speech (for typed turns: since the text arrived); absent where the turn had no such stage.
 */
export interface TurnTimeline {
  /**
   * The engine decided that the turn was over.
   */
  endpointing_ms?: number | null;
  /**
   * Why it waited as long as it did, for people.
   */
  endpointing_reason?: string | null;
  /**
   * The silence that it decided to wait for; where the transcript came later than that, it was
   * waited for.
   */
  endpointing_wait_ms?: number | null;
  /**
   * The voice's first audio was made.
   */
  first_audio_made_ms?: number | null;
  /**
   * The first audio frame was sent.
   */
  first_audio_sent_ms?: number | null;
  /**
   * The responder's first words were there.
   */
  first_token_ms?: number | null;
  /**
   * Who answers, as provider and model, where there was a choice to explain.
   */
  provider?: string | null;
  /**
   * Why that one, for people.
   */
  provider_reason?: string | null;
  /**
   * True where the reply was begun before the turn was over: then its first words and audio may
   * have been there at 0.
   */
  speculative?: boolean;
  /**
   * The recognizer's final text was there.
   */
  transcript_final_ms?: number | null;
  turn: TurnId;
  /**
   * When the person stopped speaking, milliseconds since session start.
   */
  user_end_at_ms: number;
}
/**
 * Replies begun before the person had finished.
 */
export interface SpeculationView {
  /**
   * Heard.
   */
  confirmed: number;
  /**
   * Begun.
   */
  started: number;
  /**
   * Characters that were generated for nothing.
   */
  wasted_chars: number;
  /**
   * Sentences that were spoken for nothing.
   */
  wasted_sentences: number;
}
/**
 * RFC 9457 problem details, the body of every error.
 */
export interface Problem {
  /**
   * A stable code for programs.
   */
  code: string;
  /**
   * What happened and what to do, for people.
   */
  detail: string;
  /**
   * Quote it when you report the problem.
   */
  request_id: string;
  /**
   * HTTP status.
   */
  status: number;
  /**
   * The kind in a few words.
   */
  title: string;
  /**
   * A URI that names the kind of problem.
   */
  type: string;
}
/**
 * `GET /v1/sessions/{id}`.
 */
export interface SessionView {
  agent: AgentId;
  /**
   * Why it ended, once it has.
   */
  ended_because?: CloseReason | null;
  /**
   * What was said and heard, oldest first.
   */
  history: Message[];
  id: SessionId;
  safety: SafetyState;
  /**
   * Seconds of talk counted.
   */
  seconds: number;
  status: SessionStatus;
}
/**
 * Answer to `POST /v1/sessions`: how to connect.
 */
export interface SessionCreated {
  agent: AgentId;
  /**
   * Where to open the event WebSocket.
   */
  events_url: string;
  /**
   * Seconds until a token that was never used to connect expires.
   */
  expires_in_s: number;
  /**
   * For `RTCPeerConnection`'s `iceServers`; empty, because the server's candidates are in its answer.
   */
  ice_servers: IceServerView[];
  id: SessionId;
  /**
   * Seconds for which a lost connection may be taken up again.
   */
  reconnect_within_s: number;
  /**
   * Bearer token for this session's routes. Shown once.
   */
  token: string;
  /**
   * The server's UDP candidates, `host:port`.
   */
  udp: string[];
  /**
   * Where to POST the SDP offer (`application/sdp`).
   */
  webrtc_url: string;
}
/**
 * An entry of `iceServers`.
 */
export interface IceServerView {
  /**
   * STUN or TURN URLs.
   */
  urls: string[];
}
