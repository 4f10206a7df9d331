// A Slack that others wrote, npm's `emulate`: one question per line in JSON on stdin, one answer per line on stdout.
//
//   {"op":"version"}             -> {"ok":true,"emulate":"…","node":"…"}
//   {"op":"open","seed":{…}}     -> {"ok":true,"url":"http://127.0.0.1:PORT"}: a fresh one; it ends with this process
//
// An error is {"ok":false,"error":"…"}.
//
// Deliberately absent: `emulate`'s command line, which asks for Node 22; its library does not.

import { readFileSync } from 'node:fs';
import { createEmulator } from 'emulate';

const about = () => JSON.parse(readFileSync(new URL('node_modules/emulate/package.json', import.meta.url), 'utf8'));

const operations = {
  version: () => ({ emulate: about().version, node: process.versions.node }),

  async open({ seed }) {
    const opened = await createEmulator({ service: 'slack', hostname: '127.0.0.1', port: 0, seed });
    return { url: `http://127.0.0.1:${new URL(opened.url).port}` };
  },
};

async function answer(line) {
  try {
    const request = JSON.parse(line);
    if (!Object.hasOwn(operations, request.op)) throw new Error(`unknown op \`${request.op}\``);
    return { ok: true, ...(await operations[request.op](request)) };
  } catch (error) {
    return { ok: false, error: String(error) };
  }
}

// Not `readline`: it also ends a line at U+2028, which may stand inside a JSON string.
let rest = '';
process.stdin.setEncoding('utf8');
for await (const part of process.stdin) {
  const lines = (rest + part).split('\n');
  rest = lines.pop();
  for (const line of lines) process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
// What is still open would keep us.
process.exit();
