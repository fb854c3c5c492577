// The server's REST routes as far as the page uses them, for tests without a server.

/** The agents that the stub lists. */
export const AGENTS = [
  agent("cal", "Cal", "Web Wizard", "Builds the web with you, one small working piece at a time.", "#5b6ee1", "🧙", [
    "How do I centre a box on a page?",
    "What is a good first website to build?",
    "Why is my page slow?",
  ]),
  agent("riven", "Riven", "Business Strategist", "Turns a fuzzy plan into the next three moves.", "#0f8b8d", "🦅", [
    "Is my idea worth building?",
    "How should I price my product?",
  ]),
  agent("domingo", "Domingo", "Time Manager", "Gives your week its shape back, without guilt.", "#e0a526", "⏳", [
    "Help me plan my morning.",
    "I have too many meetings.",
  ]),
  agent("arty", "Arty", "Creative Director", "Sees the picture before it is drawn.", "#d9486e", "🎨", [
    "Give me a name for a bakery.",
    "How do I choose colours?",
  ]),
  agent("loopseeker", "LoopSeeker", "Pattern Detective", "Finds the habit behind the habit.", "#7a4fc2", "🔍", [
    "Why do I always put things off?",
    "What pattern do you see?",
  ]),
];

const TOKEN = "stub-token";

/** Answers the page's requests and remembers them. */
export class RestStub {
  /** Requests seen: `METHOD path`. */
  seen = [];
  /** Set to a problem (`{status, detail}`) or `"gone"` to make a route fail. */
  fails = { agents: null, sessions: null, offer: null };
  #sessions = 0;

  /** The answer to a request, `null` where the server is to seem gone, `undefined` for no route. */
  answer(method, path, headers) {
    this.seen.push(`${method} ${path}`);
    if (path === "/v1/agents") return this.#or("agents", json(200, { data: AGENTS }));
    if (path === "/v1/sessions" && method === "POST") return this.#or("sessions", json(201, this.#created()));
    if (!path.startsWith("/v1/sessions/")) return undefined;
    if (headers["authorization"] !== `Bearer ${TOKEN}`) return problem({ status: 401, detail: "No token." });
    if (path.endsWith("/webrtc") && method === "POST") {
      return this.#or("offer", { status: 201, type: "application/sdp", body: "v=0\r\n" });
    }
    return method === "DELETE" ? { status: 204, type: "text/plain", body: "" } : undefined;
  }

  /** How often a route was asked. */
  count(start) {
    return this.seen.filter((each) => each.startsWith(start)).length;
  }

  #or(route, answer) {
    const failure = this.fails[route];
    if (failure === "gone") return null;
    return failure === null ? answer : problem(failure);
  }

  #created() {
    this.#sessions += 1;
    const id = `sess_stub${this.#sessions}`;
    return {
      id,
      token: TOKEN,
      expires_in_s: 60,
      agent: "cal",
      webrtc_url: `/v1/sessions/${id}/webrtc`,
      events_url: `/v1/sessions/${id}/events`,
      ice_servers: [],
      udp: ["127.0.0.1:9"],
      reconnect_within_s: 30,
    };
  }
}

function agent(id, name, title, tagline, color, emoji, suggestions) {
  return { id, name, title, tagline, color, emoji, suggestions, voice: "slt" };
}

function json(status, value) {
  return { status, type: "application/json", body: JSON.stringify(value) };
}

function problem({ status, detail }) {
  const value = { type: "about:blank", title: "Stub", status, code: "stub", detail, request_id: "req_stub" };
  return { status, type: "application/problem+json", body: JSON.stringify(value) };
}
