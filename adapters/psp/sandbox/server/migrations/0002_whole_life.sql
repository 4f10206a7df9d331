-- The whole life of money. Tables whose checks must allow more are made anew and filled; one process owns this file, so
-- no older version runs meanwhile.
--
-- checkouts   now of one of two APIs; `approved` waits for the merchant, `processing` for a bank
-- declines    tries of a payer that were declined
-- captures    money that arrived: usually what the checkout asked for, and not when the payer may choose or a knob lies
-- refunds     may be on their way now, and may fail
-- disputes    what a payer's bank asks or takes back, until it is decided
-- events      `about` is the checkout: all that an unsigned hint tells

create table checkouts_2 (
  seq integer primary key,
  id text not null unique,
  api text not null check (api in ('plain', 'difficult')),
  amount_minor integer not null check (amount_minor > 0),
  currency text not null,
  lines text not null,
  metadata text not null,
  return_url text not null,
  locale text not null,
  always_challenged integer not null default 0,
  expires_ms integer not null,
  created_ms integer not null,
  updated_ms integer not null,
  status text not null check (status in ('open', 'approved', 'processing', 'failed', 'complete', 'expired')),
  attempts integer not null default 0,
  chosen_minor integer check (chosen_minor > 0),
  approved_until_ms integer,
  check (status <> 'approved' or (chosen_minor is not null and approved_until_ms is not null))
) strict;
insert into checkouts_2 (seq, id, api, amount_minor, currency, lines, metadata, return_url, locale, expires_ms,
    created_ms, updated_ms, status, attempts)
  select seq, id, 'plain', amount_minor, currency, lines, metadata, return_url, locale, expires_ms,
    created_ms, updated_ms, status, attempts from checkouts;

create table captures (
  seq integer primary key,
  id text not null unique,
  checkout text not null unique references checkouts_2 (id),
  amount_minor integer not null check (amount_minor > 0),
  currency text not null,
  created_ms integer not null,
  reversed_ms integer
) strict;
insert into captures (seq, id, checkout, amount_minor, currency, created_ms)
  select seq, capture, id, amount_minor, currency, updated_ms from checkouts where capture is not null;

create table refunds_2 (
  seq integer primary key,
  id text not null unique,
  capture text not null references captures (id),
  amount_minor integer not null check (amount_minor > 0),
  metadata text not null,
  status text not null check (status in ('pending', 'succeeded', 'failed')),
  created_ms integer not null,
  updated_ms integer not null
) strict;
insert into refunds_2 (seq, id, capture, amount_minor, metadata, status, created_ms, updated_ms)
  select seq, id, capture, amount_minor, metadata, 'succeeded', created_ms, created_ms from refunds;

drop table refunds;
drop table checkouts;
alter table checkouts_2 rename to checkouts;
alter table refunds_2 rename to refunds;

create index checkouts_by_label on checkouts (metadata ->> '$.till_payment', metadata ->> '$.till_n');
create index checkouts_by_custom_id on checkouts (metadata ->> '$.custom_id') where api = 'difficult';
create index checkouts_open on checkouts (expires_ms) where status = 'open';
create index checkouts_approved on checkouts (approved_until_ms) where status = 'approved';
create index refunds_by_label on refunds (metadata ->> '$.till_payment', metadata ->> '$.till_refund');
create index refunds_by_custom_id on refunds (metadata ->> '$.custom_id');
create index refunds_by_capture on refunds (capture);

create table declines (
  seq integer primary key,
  id text not null unique,
  checkout text not null references checkouts (id),
  code text not null,
  created_ms integer not null
) strict;
create index declines_by_checkout on declines (checkout);

create table disputes (
  seq integer primary key,
  id text not null unique,
  capture text not null references captures (id),
  amount_minor integer not null check (amount_minor > 0),
  status text not null check (status in ('warning_needs_response', 'warning_under_review', 'warning_closed',
    'needs_response', 'under_review', 'won', 'lost', 'prevented')),
  withdrawn_minor integer not null default 0 check (withdrawn_minor in (0, amount_minor)),
  moves integer not null default 0,
  answer_by_ms integer,
  created_ms integer not null,
  updated_ms integer not null
) strict;
create index disputes_by_capture on disputes (capture);

alter table events add column api text not null default 'plain';
alter table events add column about text not null default '';
create index events_by_api on events (api, seq);
alter table deliveries add column copies integer not null default 1;

create view whole_checkouts as
  select c.*, p.id as capture, p.amount_minor as paid_minor, p.currency as paid_currency, p.created_ms as paid_ms,
    p.reversed_ms
  from checkouts c left join captures p on p.checkout = c.id;
create view whole_refunds as
  select r.*, p.checkout, p.currency, c.metadata as payment_metadata
  from refunds r join captures p on p.id = r.capture join checkouts c on c.id = p.checkout;
create view whole_disputes as
  select d.*, p.checkout, p.currency, c.metadata as payment_metadata
  from disputes d join captures p on p.id = d.capture join checkouts c on c.id = p.checkout;
