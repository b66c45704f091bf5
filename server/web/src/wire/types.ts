/** What the server sends, as docs/events.md describes it. */

export type Author = "customer" | "bot" | "person";
export type Mode = "bot" | "waiting" | "with_person" | "handed_back" | "closed";

export interface Citation {
  n: number;
  article_id: string;
  title: string;
  section: string;
  url: string | null;
}

/** What a source is called: two sections of an article are two sources. */
export function sourceTitle({ title, section }: { title: string; section: string }): string {
  return section && section !== title ? `${title}: ${section}` : title;
}

export interface WalkStep {
  element_id: string;
  selector: string;
  text: string;
}

export interface Guidance {
  title: string;
  steps: WalkStep[];
}

export interface Ticket {
  bug_id: string;
  title: string;
  occurrences: number;
  is_new: boolean;
}

export interface QuickReply {
  label: string;
  text: string;
}

export interface Message {
  message_id: string;
  author: Author;
  author_name: string | null;
  text: string;
  at: string;
  citations: Citation[];
  guidance: Guidance | null;
  quick_replies: QuickReply[];
  outcome: string | null;
  ticket: Ticket | null;
}

export interface ModeValue {
  mode: Mode;
  queue?: string | null;
  promised_by?: string | null;
  in_business_hours?: boolean;
  ask_email?: boolean;
  person?: string | null;
}

export interface PageContext {
  route: string;
  title: string;
  elements: { id: string | null; selector: string; label: string }[];
  actions: string[];
  errors: string[];
  language: string;
}

export interface Session {
  session_token: string;
  expires_at: string;
  conversation_id: string;
  mode: Mode;
  /** The promise or the person behind the mode, when the server says so. */
  mode_value?: ModeValue | null;
  opening: string;
  suggestions: string[];
  identity: { level: string; display_name: string | null };
  workspace: { name: string; link_hosts: string[]; support_email?: string | null };
  strings?: Record<string, string>;
  messages: Message[];
  last_event_id: string | null;
  active_run: { turn_id: string } | null;
}

/** An AG-UI event; which fields are there depends on `type`. */
export interface WireEvent {
  type: string;
  name?: string;
  value?: Record<string, unknown>;
  messageId?: string;
  role?: string;
  delta?: string;
  message?: string;
  code?: string;
  stepName?: string;
}

/** A message with whatever the server left out filled in, so that readers need no checks. */
export function completeMessage(value: Partial<Message> & { message_id: string }): Message {
  return {
    author: "bot",
    author_name: null,
    text: "",
    at: "",
    outcome: null,
    guidance: null,
    ticket: null,
    ...value,
    citations: value.citations ?? [],
    quick_replies: value.quick_replies ?? [],
  };
}
