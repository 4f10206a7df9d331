-- checkouts   what a payer can pay; `capture` names the money once it is there
-- refunds     money that went back, out of one capture
-- events      everything that happened, in order, as the exact bytes that are listed and delivered
-- deliveries  events that the webhook has not accepted yet; a row without `due_ms` was given up after three days
-- replays     the answer to every POST, by idempotency key, for a day

create table checkouts (
  seq integer primary key,
  id text not null unique,
  amount_minor integer not null check (amount_minor > 0),
  currency text not null,
  lines text not null,
  metadata text not null,
  return_url text not null,
  locale text not null,
  expires_ms integer not null,
  created_ms integer not null,
  updated_ms integer not null,
  status text not null check (status in ('open', 'complete', 'expired')),
  capture text unique,
  attempts integer not null default 0,
  check ((status = 'complete') = (capture is not null))
) strict;
create index checkouts_by_label on checkouts (metadata ->> '$.till_payment', metadata ->> '$.till_n');
create index checkouts_open on checkouts (expires_ms) where status = 'open';

create table refunds (
  seq integer primary key,
  id text not null unique,
  capture text not null references checkouts (capture),
  amount_minor integer not null check (amount_minor > 0),
  metadata text not null,
  created_ms integer not null
) strict;
create index refunds_by_label on refunds (metadata ->> '$.till_payment', metadata ->> '$.till_refund');
create index refunds_by_capture on refunds (capture);

create table events (
  seq integer primary key autoincrement,
  id text not null unique,
  created_ms integer not null,
  body text not null
) strict;

create table deliveries (
  event integer primary key references events (seq),
  tries integer not null default 0,
  due_ms integer
) strict;
create index deliveries_due on deliveries (due_ms) where due_ms is not null;

create table replays (
  key text primary key,
  digest blob not null,
  status integer not null,
  body text not null,
  at_ms integer not null
) strict;
create index replays_by_age on replays (at_ms);
