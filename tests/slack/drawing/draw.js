// Draws what a fake Slack holds, about as Slack's own clients would: `draw(scene)`, once per page.
//
//   scene   { people, bot, you, channel: { name, messages }, thread?: ts, modal?: view, confirm?: object, home?: view }
//   blocks  header, section, rich_text, context, actions, divider, input; an element is drawn by its `type`, likewise
//
// Whatever has a type, a key, a style or a mark that is not known here is an error, so that no picture leaves out a word.
// What Slack shows to nobody (ids, values, metadata) is known and not drawn.
//
// Deliberately absent: pictures in blocks, menus of dates and the rest of Block Kit that Till does not send; emoji; what
// a press does.
'use strict';

let scene;

function element(tag, look, ...inside) {
  const made = document.createElement(tag);
  if (look) made.className = look;
  made.append(...inside.filter((part) => part !== null && part !== undefined));
  return made;
}

const div = (look, ...inside) => element('div', look, ...inside);
const span = (look, ...inside) => element('span', look, ...inside);

function only(thing, what, ...keys) {
  const unknown = Object.keys(thing).filter((key) => key !== 'type' && !keys.includes(key));
  if (unknown.length) throw new Error(`${what} has \`${unknown}\`, which is not drawn: ${JSON.stringify(thing)}`);
}

function among(kinds, thing, what) {
  if (!Object.hasOwn(kinds, thing.type)) throw new Error(`${what} \`${thing.type}\` is not drawn`);
  return kinds[thing.type](thing);
}

function person(id) {
  if (id === scene.bot) return 'Till';
  if (!Object.hasOwn(scene.people, id)) throw new Error(`nobody is \`${id}\``);
  return scene.people[id];
}

// ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const unescaped = (text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

function link(url, words) {
  const made = element('a', 'link', words || url);
  made.href = url;
  return made;
}

const mention = (id) => span('mention', `@${person(id)}`);

// What stands between `<` and `>`.
function reference(inside) {
  const [what, words] = inside.split('|');
  if (what.startsWith('@')) return mention(what.slice(1));
  if (/^(https?:\/\/|mailto:)/.test(what)) return link(unescaped(what), words && unescaped(words));
  throw new Error(`\`<${inside}>\` is not drawn`);
}

const STYLES = { '*': 'bold', _: 'italic', '~': 'struck', '`': 'code' };

function mrkdwn(text) {
  const made = document.createDocumentFragment();
  const marks = /<([^>]*)>|(?<![\w*_~`])([*_~`])(?=\S)([^\n]*?\S)\2(?![\w*_~`])/g;
  let from = 0;
  for (const found of text.matchAll(marks)) {
    made.append(unescaped(text.slice(from, found.index)));
    made.append(found[1] === undefined ? span(STYLES[found[2]], mrkdwn(found[3])) : reference(found[1]));
    from = found.index + found[0].length;
  }
  made.append(unescaped(text.slice(from)));
  return made;
}

// A text object. Slack makes pictures of `:coffee:` here, which are not drawn.
function text(object) {
  only(object, 'a text', 'text', 'emoji', 'verbatim');
  if (object.emoji !== false && /:[a-z0-9_+-]+:/.test(object.text)) throw new Error(`an emoji in \`${object.text}\``);
  return among({ plain_text: ({ text }) => text, mrkdwn: ({ text }) => mrkdwn(text) }, object, 'a text of type');
}

const rich = {
  text({ text, style = {}, ...rest }) {
    only(rest, 'rich text');
    only(style, 'a style', 'bold', 'italic', 'strike', 'code');
    const looks = { bold: 'bold', italic: 'italic', strike: 'struck', code: 'code' };
    return span(Object.keys(style).filter((name) => style[name]).map((name) => looks[name]).join(' '), text);
  },
  link({ url, text, ...rest }) {
    only(rest, 'a link');
    return link(url, text);
  },
  user({ user_id, ...rest }) {
    only(rest, 'a mention');
    return mention(user_id);
  },
};

// ── Elements ────────────────────────────────────────────────────────────────────────────────────────────────────────

const elements = {
  button(button) {
    only(button, 'a button', 'text', 'style', 'action_id', 'value', 'url', 'confirm');
    if (![undefined, 'primary', 'danger'].includes(button.style)) throw new Error(`a button in \`${button.style}\``);
    return element('button', `button ${button.style ?? ''}`, text(button.text));
  },
  plain_text_input(input) {
    only(input, 'an input', 'action_id', 'max_length', 'multiline', 'placeholder', 'initial_value');
    const shown = input.initial_value ?? (input.placeholder ? text(input.placeholder) : '');
    return div(`field ${input.multiline ? 'tall' : ''} ${input.initial_value ? '' : 'faint'}`, shown);
  },
  static_select(select) {
    only(select, 'a select', 'action_id', 'options', 'initial_option', 'placeholder');
    for (const option of select.options) only(option, 'an option', 'text', 'value');
    return menu(select, select.initial_option && text(select.initial_option.text), 'Select an option');
  },
  users_select(select) {
    only(select, 'a select', 'action_id', 'initial_user', 'placeholder');
    return menu(select, select.initial_user && person(select.initial_user), 'Select a user');
  },
};

const menu = (select, chosen, hint) =>
  div(`field menu ${chosen ? '' : 'faint'}`, chosen ?? (select.placeholder ? text(select.placeholder) : hint));

// ── Blocks ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const all = (kinds, things, what) => things.map((thing) => among(kinds, thing, what));

const blocks = {
  header(block) {
    only(block, 'a header', 'block_id', 'text');
    return div('header', text(block.text));
  },
  section(block) {
    only(block, 'a section', 'block_id', 'text', 'fields');
    const fields = block.fields && div('fields', ...block.fields.map((field) => div('', text(field))));
    return div('section', block.text && div('', text(block.text)), fields);
  },
  rich_text(block) {
    only(block, 'a rich text', 'block_id', 'elements');
    const section = ({ elements, ...rest }) => {
      only(rest, 'a section of rich text');
      return div('section', ...all(rich, elements, 'rich text of type'));
    };
    return div('', ...all({ rich_text_section: section }, block.elements, 'rich text of type'));
  },
  context(block) {
    only(block, 'a context', 'block_id', 'elements');
    return div('context', ...block.elements.map((part) => span('', text(part))));
  },
  actions(block) {
    only(block, 'actions', 'block_id', 'elements');
    return div('actions', ...all(elements, block.elements, 'the element'));
  },
  divider(block) {
    only(block, 'a divider', 'block_id');
    return element('hr');
  },
  input(block) {
    only(block, 'an input', 'block_id', 'optional', 'label', 'element', 'hint', 'dispatch_action');
    const label = div('label', text(block.label), block.optional ? span('faint', ' (optional)') : null);
    return div('input', label, among(elements, block.element, 'the element'), block.hint && div('hint', text(block.hint)));
  },
};

const drawn = (list) => all(blocks, list, 'the block');

// ── Surfaces ────────────────────────────────────────────────────────────────────────────────────────────────────────

const time = (ts) =>
  new Date(Number(ts) * 1000).toLocaleTimeString('en-US', { hour: 'numeric', minute: '2-digit' });

function face(user, look) {
  if (user === scene.bot) return div(`face till ${look}`, 'T');
  const hues = Object.keys(scene.people).indexOf(user);
  return div(`face person-${hues % 3} ${look}`, person(user).slice(0, 1));
}

function message(one, below) {
  const words = one.blocks ? drawn(one.blocks) : [div('section', mrkdwn(one.text))];
  const badge = one.by_app ? span('badge', 'APP') : null;
  const last = below[below.length - 1];
  const replies = last && div(
    'replies',
    face(last.user, 'small'),
    span('bold link', `${below.length} ${below.length === 1 ? 'reply' : 'replies'}`),
    span('muted', `Last reply today at ${time(last.ts)}`),
  );
  return div(
    one.only_for ? 'message private' : 'message',
    one.only_for ? div('only-you', 'Only visible to you') : null,
    face(one.user, ''),
    div('said', div('who', span('bold', person(one.user)), badge, span('time', time(one.ts))), ...words, replies),
  );
}

function conversation({ name, messages }, open) {
  const seen = messages.filter((one) => !one.only_for || one.only_for === scene.you);
  const below = (ts) => seen.filter((one) => one.thread === ts);
  const roots = seen.filter((one) => !one.thread);
  const composer = (words) => div('composer', words);
  const main = div(
    'pane',
    div('bar', span('bold', `# ${name}`)),
    div('day', span('', 'Today')),
    ...roots.map((one) => message(one, below(one.ts))),
    composer(`Message #${name}`),
  );
  if (!open) return div('channel', main);
  const replies = below(open);
  const count = div('count', `${replies.length} ${replies.length === 1 ? 'reply' : 'replies'}`);
  const thread = div(
    'pane thread',
    div('bar', span('bold', 'Thread'), span('muted', `# ${name}`)),
    ...roots.filter((one) => one.ts === open).map((one) => message(one, [])),
    count,
    ...replies.map((one) => message(one, [])),
    composer('Reply…'),
  );
  return div('channel with-thread', main, thread);
}

const UNSEEN = [
  'id', 'team_id', 'callback_id', 'private_metadata', 'external_id', 'hash', 'state', 'clear_on_close', 'notify_on_close',
  'previous_view_id', 'root_view_id', 'app_id', 'app_installed_team_id', 'bot_id',
];

function modal(view) {
  only(view, 'a modal', ...UNSEEN, 'title', 'submit', 'close', 'blocks');
  const close = element('button', 'button', view.close ? text(view.close) : 'Cancel');
  const submit = view.submit ? element('button', 'button primary', text(view.submit)) : null;
  const top = div('title', face(scene.bot, 'small'), span('bold', text(view.title)), span('cross', '×'));
  return div('over', div('sheet', top, div('body', ...drawn(view.blocks)), div('foot', close, submit)));
}

// What asks back after a press.
function confirmation(object) {
  only(object, 'a confirmation', 'title', 'text', 'confirm', 'deny', 'style');
  const yes = element('button', `button ${object.style === 'danger' ? 'danger-full' : 'primary'}`, text(object.confirm));
  const top = div('title', span('bold', text(object.title)), span('cross', '×'));
  const no = element('button', 'button', text(object.deny));
  return div('over', div('sheet question', top, div('body', div('section', text(object.text))), div('foot', no, yes)));
}

function home(view) {
  only(view, 'a home', ...UNSEEN, 'title', 'submit', 'close', 'blocks');
  const tabs = div('tabs', span('tab here', 'Home'), span('tab', 'Messages'), span('tab', 'About'));
  return div('pane', div('bar', face(scene.bot, 'small'), span('bold', 'Till')), tabs, div('home', ...drawn(view.blocks)));
}

// What the test calls; gives how high the scene is.
function draw(given) {
  scene = given;
  const { channel, thread, modal: form, confirm, home: own } = given;
  const parts = [
    channel && conversation(channel, thread),
    own && home(own),
    form && modal(form),
    confirm && confirmation(confirm),
  ];
  document.body.replaceChildren(...parts.filter(Boolean));
  return Math.ceil(Math.max(...[...document.body.querySelectorAll('.channel, .pane, .sheet')].map((part) => part.scrollHeight + part.offsetTop)));
}
