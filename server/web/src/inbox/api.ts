/**
 * The team's side of the server. People are known by a cookie that scripts can't read.
 *
 * Addresses are relative to the page: a workspace among several is served below a path of its own.
 */

import { send, type RequestOptions } from "../wire/http";
import type { Message, Mode, ModeValue } from "../wire/types";

/** Who is signed in. Without a name it was the inbox's one password, or an open door. */
export interface You {
  name: string | null;
  role: "viewer" | "agent" | "admin";
  /** False where the door is open: a machine of one's own, without a password. */
  signed_in?: boolean;
}

export interface HandoffRow {
  conversation_id: string;
  mode: Mode;
  /** Null, as what follows from it, where no person was ever asked for or came. */
  queue_id: string | null;
  priority: "normal" | "high" | "urgent";
  wanted: string;
  reason: string | null;
  sentiment: number;
  waiting_since: string | null;
  promised_by: string | null;
  overdue: boolean;
  account_summary: string | null;
  language: string;
  page: string | null;
  last_message: string | null;
  unread: number;
  person?: string | null;
  updated_at?: string;
}

export interface Reason {
  name: string;
  value: number | string;
  weight: number;
  towards: string;
}

export interface Decision {
  route: string;
  reasons: Reason[];
  expected_cost: Record<string, number>;
  understanding?: Record<string, unknown>;
  page?: { route: string | null; area: string | null; errors?: string[] } | null;
}

export interface Evidence {
  probability: number;
  passages: {
    passage_id: string;
    article_id: string;
    title: string;
    section: string;
    url: string | null;
    score: number;
    text: string;
  }[];
}

export interface Handoff {
  wanted: string;
  tried: string[];
  reason: string;
  reasons: Reason[];
  sentiment: number;
  queue_id: string;
  priority: string;
  suggested_next_step: string;
  language: string;
  account_id: string | null;
  account_summary: string | null;
  page: string | null;
  links: string[];
  bug_id: string | null;
  promised_by: string | null;
}

export type StaffMessage = Message & { decision?: Decision | null; evidence?: Evidence | null };

/** What was done beside what was said; for the team alone. */
export interface Act {
  kind: "asked" | "taken" | "handed_back" | "resolved" | "withdrawn" | "left";
  at: string;
  person: string | null;
  outcome: string | null;
  note: string | null;
  /** The message that it comes after; null before the first. */
  after: string | null;
}

export interface ConversationView {
  conversation: {
    conversation_id: string;
    mode: Mode;
    mode_value?: ModeValue | null;
    language: string;
    account_id: string | null;
    contact_email: string | null;
    person?: string | null;
  };
  you?: You;
  handoff: Handoff | null;
  bugs?: { bug_id: string; title: string; status: string }[];
  messages: StaffMessage[];
  timeline?: Act[];
  queue_names?: Record<string, string>;
  last_event_id: string | null;
  workspace?: { name: string; link_hosts: string[] };
}

export type BugStatus = "open" | "fixed" | "dismissed";

export interface BugRow {
  bug_id: string;
  title: string;
  status: string;
  severity: string;
  occurrences: number;
  customers: number;
  feature: string;
  page: string;
  first_seen: string;
  last_seen: string;
}

export type BugView = BugRow & {
  draft: Record<string, unknown> | null;
  reports: { conversation_id: string; account_id: string | null; tier: string | null; said: string; at: string }[];
};

export interface Percentiles {
  p50: (number | null)[];
  p95: (number | null)[];
  all: { n: number; p50: number; p95: number } | null;
}

export interface OpsView {
  you?: You;
  queue_names?: Record<string, string>;
  since: string;
  until: string;
  step_s: number;
  starts: string[];
  now: {
    turns_waiting: number;
    turns_running: number;
    turns_abandoned: number;
    oldest_waiting_s: number;
    handoffs_open: number;
    handoffs_overdue: number;
  };
  outcomes: Record<string, number[]>;
  turns: number;
  turn_seconds: Percentiles;
  first_word_seconds: Percentiles;
  conversations: { n: number; with_person: number };
  engine: {
    calls: number;
    input_tokens: number;
    output_tokens: number;
    cost: number;
    fallbacks: { ability: string; reason: string; n: number }[];
  };
  queues: { queue_id: string; open: number; overdue: number; oldest: string }[];
  troubled: { turn_id: string; conversation_id: string; status: string; attempts: number; at: string }[];
}

export type Outcome = "solved" | "not_solved" | "duplicate" | "spam";

async function ask<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, { timeoutMs: 20_000, withCookie: true, ...options });
  const text = await response.text();
  return (text ? JSON.parse(text) : null) as T;
}

function conversation(conversationId: string): string {
  return `v1/inbox/conversations/${encodeURIComponent(conversationId)}`;
}

function under(actId: string): Record<string, string> {
  return { "Idempotency-Key": actId };
}

/** Who ends it, and what colleagues should know; either may be empty. */
export interface Ending {
  note: string;
  person: string;
}

function given(ending: Ending): Partial<Ending> {
  return Object.fromEntries(Object.entries(ending).filter(([, value]) => value));
}

export const api = {
  login: (name: string, password: string) => ask("inbox/login", { body: name ? { name, password } : { password } }),
  logout: () => ask("inbox/logout", { method: "POST" }),
  handoffs: (mode: string) =>
    ask<{ handoffs: HandoffRow[]; you?: You; queue_names?: Record<string, string> }>(`v1/inbox/handoffs?mode=${encodeURIComponent(mode)}`),
  conversation: (conversationId: string) => ask<ConversationView>(conversation(conversationId)),
  eventsOf: (conversationId: string) => `${conversation(conversationId)}/events`,
  take: (conversationId: string, person: string, actId: string) =>
    ask(`${conversation(conversationId)}/take`, { body: { person }, headers: under(actId) }),
  reply: (conversationId: string, body: { text: string; client_message_id: string; person: string }) =>
    ask(`${conversation(conversationId)}/reply`, { body }),
  handBack: (conversationId: string, ending: Ending, actId: string) =>
    ask(`${conversation(conversationId)}/hand_back`, { body: given(ending), headers: under(actId) }),
  resolve: (conversationId: string, outcome: Outcome, ending: Ending, actId: string) =>
    ask(`${conversation(conversationId)}/resolve`, { body: { outcome, ...given(ending) }, headers: under(actId) }),
  ops: (last: string) => ask<OpsView>(`v1/inbox/ops?last=${encodeURIComponent(last)}`),
  bugs: () => ask<{ bugs: BugRow[]; you?: You }>("v1/inbox/bugs"),
  setBugStatus: (bugId: string, status: BugStatus) =>
    ask(`v1/inbox/bugs/${encodeURIComponent(bugId)}/status`, { body: { status } }),
  bug: (bugId: string) => ask<BugView>(`v1/inbox/bugs/${encodeURIComponent(bugId)}`),
};
