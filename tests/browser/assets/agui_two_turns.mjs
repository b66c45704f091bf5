// Holds a conversation of two turns with the official AG-UI client and prints what it saw as one line of JSON.
// Usage: node agui_two_turns.mjs URL TOKEN [FIRST SECOND]; TOKEN may be "" for none.
import { randomUUID } from "node:crypto";

import { HttpAgent } from "./agui-client.mjs";

const [url, token = "", first = "How do I export my data?", second = "And how do I invite a colleague?"] =
  process.argv.slice(2);
const agent = new HttpAgent({ url, headers: token ? { Authorization: `Bearer ${token}` } : {} });
const turns = [];

for (const [index, text] of [first, second].entries()) {
  const events = [];
  const custom = [];
  const errors = [];
  const note = (error) => errors.push(String(error?.message ?? error).slice(0, 500));
  agent.addMessage({ id: `turn-${index + 1}-${randomUUID()}`, role: "user", content: text });
  try {
    await agent.runAgent(
      { runId: randomUUID() },
      {
        onEvent: ({ event }) => void events.push(event.type),
        onCustomEvent: ({ event }) => void custom.push(event.name),
        onRunErrorEvent: ({ event }) => note(event.message),
        onRunFailed: ({ error }) => note(error),
      },
    );
  } catch (error) {
    note(error);
  }
  // The library takes a stream that just stops for a finished one.
  const ok = !errors.length && events[0] === "RUN_STARTED" && events.at(-1) === "RUN_FINISHED";
  turns.push({ ok, events, custom, errors, messages: agent.messages.length });
}

const messages = agent.messages.map(({ id, role, content }) => ({ id, role, content }));
console.log(JSON.stringify({ ok: turns.every((turn) => turn.ok), thread_id: agent.threadId, turns, messages }));
