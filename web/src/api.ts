// The server's REST routes.

import type { AgentId, AgentView, CreateSession, Problem, SessionCreated } from "./wire";

/** Longest wait for an answer of the server, milliseconds. */
export const ANSWER_MS_MAX = 7_000;

/** A request that failed, in words that can be shown. */
export class ApiError extends Error {
  /** HTTP status; `null` where the server could not be reached. */
  readonly status: number | null;

  constructor(message: string, status: number | null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }

  /** True where asking again cannot help: the server understood and said no. */
  get fatal(): boolean {
    const { status } = this;
    if (status === null) return false;
    return status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
  }
}

/** `GET /v1/agents`. @throws ApiError */
export async function listAgents(): Promise<AgentView[]> {
  const answer = await ask("/v1/agents", {});
  const { data } = (await answer.json()) as { data: AgentView[] };
  return data;
}

/** `POST /v1/sessions`. @throws ApiError */
export async function createSession(agent: AgentId): Promise<SessionCreated> {
  const body: CreateSession = { agent };
  const answer = await ask("/v1/sessions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as SessionCreated;
}

/** Sends an SDP offer; resolves to the answer. @throws ApiError */
export async function sendOffer(url: string, token: string, sdp: string): Promise<string> {
  const answer = await ask(url, {
    method: "POST",
    headers: { "content-type": "application/sdp", accept: "application/sdp", ...bearer(token) },
    body: sdp,
  });
  return answer.text();
}

/** `DELETE /v1/sessions/{id}`, also while the page is being closed. Failure is of no consequence:
 * the server ends a session that nobody is connected to. */
export function deleteSession(id: string, token: string): void {
  void fetch(`/v1/sessions/${encodeURIComponent(id)}`, {
    method: "DELETE",
    headers: bearer(token),
    keepalive: true,
  }).catch(() => undefined);
}

function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS_MAX) }).catch(
    () => {
      throw new ApiError("The server cannot be reached.", null);
    },
  );
  if (answer.ok) return answer;
  throw new ApiError(await detailOf(answer), answer.status);
}

async function detailOf(answer: Response): Promise<string> {
  const problem = (await answer.json().catch(() => null)) as Partial<Problem> | null;
  const words = problem?.detail ?? problem?.title;
  return typeof words === "string" && words !== ""
    ? words
    : `The server answered with an error (${answer.status}).`;
}
