// Slack's own SDKs as a judge: one question per line in JSON on stdin, one answer per line in JSON on stdout.
//
//   {"op":"version"}         -> {"ok":true,"web_api":"…","socket_mode":"…","bolt":"…","node":"…","now_s":…}
//   {"op":"verify","headers":{…},"body":"…","secret":"…","now_s":…}
//                            -> {"ok":true}
//   {"op":"api","base":"http://127.0.0.1:PORT/api/","token":"…","call":"chat.postMessage","params":{…}}
//                            -> {"ok":true,"object":…,"rate_limited_s":[…]}
//   {"op":"list", the same}: every page of a call that has cursors
//                            -> {"ok":true,"pages":[…],"rate_limited_s":[…]}
//   {"op":"socket","base":"…","app_token":"…","replies":{"slash_commands":…}}
//                            -> {"ok":true,"open":1}, once Slack has said hello
//   {"op":"bolt","base":"…","token":"…","secret":"…","path":"/slack/events","port":0,"replies":{"command":…}}
//                            -> {"ok":true,"open":2,"url":"http://127.0.0.1:PORT/slack/events","now_s":…}
//   {"op":"next","open":1,"within_ms":5000}: the oldest event that was not asked for yet
//                            -> {"ok":true,"event":{"kind":"…",…}}
//   {"op":"close","open":1}  -> {"ok":true,"left":[…],"said":[…]}
//
// "api" and "list" also take `retries` (none without), `reject_rate_limited` and `timeout_ms`. "socket" also takes
// `ping_timeout_ms`: a lost connection is tried again after it.
//
// A socket's events are Slack's envelopes, {"kind":"slash_commands",…} with envelope_id, body, retry_num, retry_reason,
// accepts_response_payload, and acked or failed; and connected, reconnecting, disconnected. Bolt's are command, action,
// view, view_closed, event, shortcut and options, with body, retry_num, retry_reason and acked. `replies` says by kind
// what is acknowledged with: nothing given, an empty acknowledgement; null, none at all. Bolt's `responds`, by kind,
// goes to the payload's response_url; the event then has `responded`, the answer's status.
//
// What the SDKs warned of is in `said`. What they refuse is {"ok":false,"error":"NAME: message","code":…}; what the API
// refuses adds data; and status, retry_after_s, detail as far as known.
//
// Deliberately absent: retries (unless asked for), OAuth, and any host but this computer.

import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import bolt from '@slack/bolt';
import { LogLevel, SocketModeClient } from '@slack/socket-mode';
import { WebClient, WebClientEvent } from '@slack/web-api';

// A list that never ends would be a fault of the other side; it must not become one of ours.
const PAGES_MAX = 1_000;

const version = (name) => createRequire(import.meta.url)(`@slack/${name}/package.json`).version;
const nowSeconds = () => Math.floor(Date.now() / 1000);

function local(address) {
  const { hostname } = new URL(address);
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) throw new Error(`\`${hostname}\` is not this computer`);
  return address;
}

// What the SDKs would print goes to nobody's screen: stdout is for answers.
let said = [];
const say = (...words) => {
  said = [...said, words.map(String).join(' ')].slice(-100);
};
const quiet = () => {};
const logger = {
  debug: quiet,
  info: quiet,
  warn: say,
  error: say,
  setLevel: quiet,
  setName: quiet,
  getLevel: () => LogLevel.WARN,
};
process.on('unhandledRejection', (error) => say(`unhandled: ${error}`));

// Events that nobody asked for yet, and who waits for one.
const opened = new Map();
let openings = 0;

function open(close) {
  openings += 1;
  const one = { events: [], waiting: quiet, close };
  opened.set(openings, one);
  const arrived = (kind, event = {}) => {
    one.events.push({ kind, ...event });
    one.waiting();
  };
  return { number: openings, arrived };
}

function at(number) {
  const one = opened.get(number);
  if (!one) throw new Error(`\`${number}\` is not open`);
  return one;
}

// What is acknowledged with: `undefined` is an empty acknowledgement, `null` is none.
const reply = (replies, kind) => (replies && Object.hasOwn(replies, kind) ? replies[kind] : undefined);

// Calls with a client of its own, so that one question's rate limit does not hold up the next.
async function asking({ base, token, retries = 0, reject_rate_limited = false, timeout_ms = 20_000 }, ask) {
  const client = new WebClient(token, {
    slackApiUrl: local(base),
    retryConfig: { retries, minTimeout: 1, maxTimeout: 1 },
    rejectRateLimitedCalls: reject_rate_limited,
    timeout: timeout_ms,
    allowAbsoluteUrls: false,
    logger,
  });
  const rate_limited_s = [];
  client.on(WebClientEvent.RATE_LIMITED, (seconds) => rate_limited_s.push(seconds));
  try {
    return { ...(await ask(client)), rate_limited_s };
  } catch (error) {
    error.rate_limited_s = rate_limited_s;
    throw error;
  }
}

async function socket({ base, app_token, replies, ping_timeout_ms = 5_000 }) {
  const client = new SocketModeClient({
    appToken: app_token,
    logger,
    clientPingTimeout: ping_timeout_ms,
    clientOptions: { slackApiUrl: local(base), retryConfig: { retries: 0 }, allowAbsoluteUrls: false },
  });
  const { number, arrived } = open(() => client.disconnect());
  for (const state of ['connected', 'reconnecting', 'disconnected']) client.on(state, () => arrived(state));
  const take = async ({ ack, type, ...rest }) => {
    const acked = reply(replies, type);
    try {
      if (acked !== null) await ack(acked);
      arrived(type, { ...rest, acked });
    } catch (error) {
      arrived(type, { ...rest, failed: String(error) });
    }
  };
  // One after the other, so that they are told in the order in which they came.
  let taken = Promise.resolve();
  client.on('slack_event', (envelope) => {
    taken = taken.then(() => take(envelope));
  });
  try {
    await client.start();
  } catch (error) {
    opened.delete(number);
    throw error;
  }
  return { open: number };
}

async function startBolt({ base, token, secret, path = '/slack/events', port = 0, replies, responds }) {
  const receiver = new bolt.HTTPReceiver({ signingSecret: secret, endpoints: [path], logger });
  const app = new bolt.App({
    receiver,
    logger,
    // Given, so that Bolt does not ask auth.test for it at every request.
    authorize: async () => ({ botToken: token, botId: 'B0JUDGE', botUserId: 'U0JUDGE' }),
    clientOptions: { slackApiUrl: local(base), retryConfig: { retries: 0 }, allowAbsoluteUrls: false },
  });
  const { number, arrived } = open(() => app.stop());
  const listen = (kind) => async ({ ack, body, context, respond }) => {
    const acked = reply(replies, kind);
    if (ack && acked !== null) await ack(acked);
    const event = { body, retry_num: context.retryNum, retry_reason: context.retryReason, acked };
    const response = reply(responds, kind);
    if (response) {
      try {
        local(body.response_url ?? body.response_urls?.[0]?.response_url);
        event.responded = (await respond(response)).status;
      } catch (error) {
        event.responded = error.response?.status ?? String(error);
      }
    }
    arrived(kind, event);
  };
  const any = /[^]*/;
  app.command(any, listen('command'));
  app.action(any, listen('action'));
  app.view({ callback_id: any, type: 'view_submission' }, listen('view'));
  app.view({ callback_id: any, type: 'view_closed' }, listen('view_closed'));
  app.event(any, listen('event'));
  app.shortcut(any, listen('shortcut'));
  app.options(any, listen('options'));
  app.error(async (error) => say(error));
  const server = await app.start({ port, host: '127.0.0.1' });
  return { open: number, url: `http://127.0.0.1:${server.address().port}${path}`, now_s: nowSeconds() };
}

const operations = {
  version: () => ({
    web_api: version('web-api'),
    socket_mode: version('socket-mode'),
    bolt: version('bolt'),
    node: process.versions.node,
    now_s: nowSeconds(),
  }),

  // The receiver's own reading of a request, headers and all, at a time that is given.
  async verify({ headers, body, secret, now_s }) {
    const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    const request = Object.assign(Readable.from([Buffer.from(body)]), { headers: Object.fromEntries(lower) });
    const now = Date.now;
    if (now_s !== undefined) Date.now = () => now_s * 1000;
    try {
      await bolt.HTTPModuleFunctions.parseAndVerifyHTTPRequest({ signingSecret: secret }, request);
    } finally {
      Date.now = now;
    }
    return {};
  },

  api: (request) =>
    asking(request, async (client) => ({ object: await client.apiCall(request.call, request.params ?? {}) })),

  list: (request) =>
    asking(request, async (client) => {
      const pages = [];
      for await (const page of client.paginate(request.call, request.params ?? {})) {
        pages.push(page);
        if (pages.length > PAGES_MAX) throw new Error(`more than ${PAGES_MAX} pages`);
      }
      return { pages };
    }),

  socket,
  bolt: startBolt,

  async next({ open: number, within_ms = 5_000 }) {
    const one = at(number);
    if (one.events.length === 0) {
      await new Promise((done) => {
        const timer = setTimeout(done, within_ms);
        one.waiting = () => done(clearTimeout(timer));
      });
      one.waiting = quiet;
    }
    if (one.events.length === 0) throw new Error(`nothing arrived within ${within_ms} ms`);
    return { event: one.events.shift() };
  },

  async close({ open: number }) {
    const one = at(number);
    opened.delete(number);
    await one.close();
    const before = said;
    said = [];
    return { left: one.events, said: before };
  },
};

function refusal(error) {
  return {
    ok: false,
    error: `${error.name}: ${error.message}`,
    code: error.code,
    data: error.data ?? error.body,
    status: error.statusCode,
    retry_after_s: error.retryAfter,
    rate_limited_s: error.rate_limited_s,
    detail: error.original?.message,
  };
}

async function answer(line) {
  try {
    const request = JSON.parse(line);
    if (!Object.hasOwn(operations, request.op)) throw new Error(`unknown op \`${request.op}\``);
    return { ok: true, ...(await operations[request.op](request)) };
  } catch (error) {
    return refusal(error);
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
