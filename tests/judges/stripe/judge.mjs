// Stripe's own SDK as a judge: one question per line in JSON on stdin, one answer per line in JSON on stdout.
//
//   {"op":"version"}                                        -> {"ok":true,"version":"…","api_version":"…"}
//   {"op":"construct","body":"…","header":"…","secret":"…","tolerance":300,"now_s":…}
//                                                           -> {"ok":true,"id":"…","type":"…"}
//   {"op":"parse_thin", the same}                           -> {"ok":true,"id":"…","type":"…","related_object":…}
//   {"op":"sign","payload":"…","secret":"…","timestamp":…}  -> {"ok":true,"header":"…"}
//   {"op":"api","base":"http://127.0.0.1:PORT","key":"…","call":"checkout.sessions.create","params":[…],"options":{…}}
//                                                           -> {"ok":true,"object":…}
//   {"op":"list","base":"…","key":"…","call":"events.list","params":{…},"options":{…}}: every page
//                                                           -> {"ok":true,"objects":[…]}
//
// `params` of "api" are the call's own arguments in order; `options` are the SDK's, by its names (idempotencyKey,
// stripeAccount, apiVersion, maxNetworkRetries), and go to the argument the SDK keeps for them. Without `tolerance` or
// `now_s` the SDK's own apply. What the SDK refuses is {"ok":false,"error":"NAME: message"}; what the API refuses adds
// type, raw_type, code, decline_code, param, status, request_id, and detail where the network failed.
//
// Deliberately absent: retries (unless asked for), telemetry, and any host but this computer.

import Stripe from 'stripe';

// A list that never ends would be a fault of the other side; it must not become one of ours.
const OBJECTS_MAX = 10_000;

const offline = new Stripe('sk_test_judge', { telemetry: false, maxNetworkRetries: 0 });

const milliseconds = (seconds) => (seconds === undefined ? undefined : seconds * 1000);

function client({ base, key }) {
  const { hostname, port, protocol } = new URL(base);
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) throw new Error(`\`${hostname}\` is not this computer`);
  return new Stripe(key, {
    host: hostname,
    port: port || (protocol === 'https:' ? 443 : 80),
    protocol: protocol.slice(0, -1),
    telemetry: false,
    maxNetworkRetries: 0,
    timeout: 20_000,
  });
}

// `checkout.sessions.create` of that client, with the options as its last declared argument.
function start(request, args) {
  const names = request.call.split('.');
  const name = names.pop();
  const resource = names.reduce((at, part) => at?.[part], client(request));
  const call = resource?.[name];
  if (typeof call !== 'function') throw new Error(`the SDK has no call \`${request.call}\``);
  const all = [...args];
  if (request.options) all[call.length - 1] = request.options;
  return call.apply(resource, all);
}

const operations = {
  version: () => ({ version: Stripe.PACKAGE_VERSION, api_version: Stripe.API_VERSION, node: process.versions.node }),

  construct({ body, header, secret, tolerance, now_s }) {
    const event = offline.webhooks.constructEvent(body, header, secret, tolerance, undefined, milliseconds(now_s));
    return { id: event.id, type: event.type };
  },

  parse_thin({ body, header, secret, tolerance, now_s }) {
    const event = offline.parseEventNotification(body, header, secret, tolerance, undefined, milliseconds(now_s));
    return { id: event.id, type: event.type, related_object: event.related_object ?? null };
  },

  sign: ({ payload, secret, timestamp }) => ({
    header: offline.webhooks.generateTestHeaderString({ payload, secret, timestamp }),
  }),

  api: async (request) => ({ object: await start(request, request.params ?? []) }),

  async list(request) {
    const objects = [];
    for await (const object of start(request, [request.params ?? {}])) {
      objects.push(object);
      if (objects.length > OBJECTS_MAX) throw new Error(`more than ${OBJECTS_MAX} objects`);
    }
    return { objects };
  },
};

function refusal(error) {
  const answer = { ok: false, error: `${error.name}: ${error.message}`, message: error.message };
  if (!(error instanceof Stripe.errors.StripeError)) return answer;
  return {
    ...answer,
    error: `${error.type}: ${error.message}`,
    type: error.type,
    raw_type: error.rawType,
    code: error.code,
    decline_code: error.decline_code,
    param: error.param,
    status: error.statusCode,
    request_id: error.requestId,
    detail: error.detail?.message,
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
