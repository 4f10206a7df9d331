-- One line per table. Times are milliseconds since 1970, UTC; bodies are JSON; every row but a lease has its merchant.
--
--   payment       one payment: what never changes, its version, and a copy of its status for listing
--   fact          what happened to it, in the order of writing; one row per natural key, never changed
--   wording       its words; erasable
--   link          its links: enough to make the token again, and the token's hash
--   object        what the provider calls things of it, for ever
--   inbox         deliveries that were answered, and with which payment
--   recent        what was asked a moment ago
--   outbox        work owed to the outside, one row per key for ever; bodies may hold words
--   card          where it shows, which revision, and which one it should
--   parked        deliveries to be judged later, sealed
--   total         sums of a day
--   lease         who alone may do something now
--   kept          what adapters keep: sessions, cursors; erasable
--   staff         who works here, by name; erasable
--   sequence      the last number given to a line
--   conversation  conversations of our own chat; erasable
--   line          their lines; erasable
--
-- Claimed rows (outbox, card, parked) share five columns: `due` (of a held row: when its lease ends), `fence` (counts
-- claims), `held` (1 from a claim to its outcome), `tries`, `state` (open, done, dead).

CREATE TABLE payment (
  merchant   TEXT NOT NULL,
  id         TEXT NOT NULL,
  code       TEXT NOT NULL,
  account    TEXT NOT NULL,
  place      TEXT NOT NULL,
  version    INTEGER NOT NULL,
  rev        INTEGER NOT NULL,
  status     TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  check_at   INTEGER,
  PRIMARY KEY (merchant, id),
  UNIQUE (merchant, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX payment_newest ON payment (merchant, created_at DESC, id DESC);
CREATE INDEX payment_newest_of_status ON payment (merchant, status, created_at DESC, id DESC);
CREATE INDEX payment_check ON payment (check_at, merchant, id) WHERE check_at IS NOT NULL;

CREATE TABLE fact (
  n        INTEGER PRIMARY KEY,
  merchant TEXT NOT NULL,
  payment  TEXT NOT NULL,
  key      TEXT NOT NULL,
  at       INTEGER NOT NULL,
  body     TEXT NOT NULL,
  UNIQUE (merchant, payment, key),
  FOREIGN KEY (merchant, payment) REFERENCES payment (merchant, id)
) STRICT;

CREATE TABLE wording (
  merchant TEXT NOT NULL,
  payment  TEXT NOT NULL,
  body     TEXT NOT NULL,
  PRIMARY KEY (merchant, payment),
  FOREIGN KEY (merchant, payment) REFERENCES payment (merchant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
  row      INTEGER PRIMARY KEY,
  merchant TEXT NOT NULL,
  payment  TEXT NOT NULL,
  purpose  TEXT NOT NULL,
  n        INTEGER NOT NULL,
  key      INTEGER NOT NULL,
  hash     BLOB NOT NULL,
  UNIQUE (purpose, hash),
  UNIQUE (merchant, payment, purpose, n),
  FOREIGN KEY (merchant, payment) REFERENCES payment (merchant, id)
) STRICT;

CREATE TABLE object (
  row      INTEGER PRIMARY KEY,
  merchant TEXT NOT NULL,
  account  TEXT NOT NULL,
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  payment  TEXT NOT NULL,
  url      TEXT,
  UNIQUE (merchant, account, kind, id),
  FOREIGN KEY (merchant, payment) REFERENCES payment (merchant, id)
) STRICT;
CREATE INDEX object_of_payment ON object (merchant, payment, kind, row);

CREATE TABLE inbox (
  merchant TEXT NOT NULL,
  source   TEXT NOT NULL,
  key      TEXT NOT NULL,
  payment  TEXT,
  at       INTEGER NOT NULL,
  PRIMARY KEY (merchant, source, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_age ON inbox (at);

CREATE TABLE recent (
  merchant TEXT NOT NULL,
  key      TEXT NOT NULL,
  payment  TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (merchant, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  row      INTEGER PRIMARY KEY,
  merchant TEXT NOT NULL,
  payment  TEXT NOT NULL,
  key      TEXT NOT NULL,
  queue    TEXT NOT NULL,
  body     TEXT NOT NULL,
  since    INTEGER NOT NULL,
  due      INTEGER NOT NULL,
  fence    INTEGER NOT NULL DEFAULT 0,
  held     INTEGER NOT NULL DEFAULT 0,
  tries    INTEGER NOT NULL DEFAULT 0,
  state    TEXT NOT NULL DEFAULT 'open',
  why      TEXT,
  UNIQUE (merchant, key),
  FOREIGN KEY (merchant, payment) REFERENCES payment (merchant, id)
) STRICT;
CREATE INDEX outbox_due ON outbox (queue, due, row) WHERE state = 'open';
CREATE INDEX outbox_dead ON outbox (row) WHERE state = 'dead';

CREATE TABLE card (
  row         INTEGER PRIMARY KEY,
  merchant    TEXT NOT NULL,
  payment     TEXT NOT NULL,
  place       TEXT NOT NULL,
  message     TEXT,
  desired_rev INTEGER NOT NULL,
  shown_rev   INTEGER NOT NULL DEFAULT 0,
  due         INTEGER NOT NULL,
  fence       INTEGER NOT NULL DEFAULT 0,
  held        INTEGER NOT NULL DEFAULT 0,
  tries       INTEGER NOT NULL DEFAULT 0,
  state       TEXT NOT NULL DEFAULT 'open',
  why         TEXT,
  UNIQUE (merchant, payment, place),
  FOREIGN KEY (merchant, payment) REFERENCES payment (merchant, id)
) STRICT;
CREATE INDEX card_due ON card (due, row) WHERE state = 'open' AND shown_rev < desired_rev;
CREATE INDEX card_dead ON card (row) WHERE state = 'dead';

CREATE TABLE parked (
  row      INTEGER PRIMARY KEY,
  merchant TEXT NOT NULL,
  source   TEXT NOT NULL,
  key      TEXT NOT NULL,
  sealed   BLOB NOT NULL,
  since    INTEGER NOT NULL,
  due      INTEGER NOT NULL,
  fence    INTEGER NOT NULL DEFAULT 0,
  held     INTEGER NOT NULL DEFAULT 0,
  tries    INTEGER NOT NULL DEFAULT 0,
  state    TEXT NOT NULL DEFAULT 'open',
  why      TEXT,
  UNIQUE (merchant, source, key)
) STRICT;
CREATE INDEX parked_due ON parked (due, row) WHERE state = 'open';
CREATE INDEX parked_dead ON parked (row) WHERE state = 'dead';

CREATE TABLE total (
  merchant TEXT NOT NULL,
  key      TEXT NOT NULL,
  version  INTEGER NOT NULL,
  minor    INTEGER NOT NULL,
  PRIMARY KEY (merchant, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
  name   TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  fence  INTEGER NOT NULL,
  until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE kept (
  merchant TEXT NOT NULL,
  adapter  TEXT NOT NULL,
  key      TEXT NOT NULL,
  value    BLOB NOT NULL,
  expires  INTEGER,
  PRIMARY KEY (merchant, adapter, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_expiry ON kept (expires) WHERE expires IS NOT NULL;

CREATE TABLE staff (
  merchant TEXT NOT NULL,
  id       TEXT NOT NULL,
  name     TEXT NOT NULL,
  since    INTEGER NOT NULL,
  PRIMARY KEY (merchant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sequence (
  merchant TEXT NOT NULL PRIMARY KEY,
  last     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE conversation (
  merchant   TEXT NOT NULL,
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  since      INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  PRIMARY KEY (merchant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_latest ON conversation (merchant, changed_at DESC, seq DESC, id);

CREATE TABLE line (
  merchant     TEXT NOT NULL,
  id           INTEGER NOT NULL,
  seq          INTEGER NOT NULL,
  conversation TEXT NOT NULL,
  key          TEXT NOT NULL,
  readers      TEXT NOT NULL,
  author       TEXT NOT NULL,
  name         TEXT NOT NULL,
  body         TEXT NOT NULL,
  at           INTEGER NOT NULL,
  PRIMARY KEY (merchant, id),
  UNIQUE (merchant, seq),
  UNIQUE (merchant, conversation, key),
  FOREIGN KEY (merchant, conversation) REFERENCES conversation (merchant, id)
) STRICT;
CREATE INDEX line_of_conversation ON line (merchant, conversation, seq);
