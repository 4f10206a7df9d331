--   account       a merchant's accounts at providers; `api_key` and `webhook_secrets` say where a secret lies: env:NAME or file:PATH

CREATE TABLE account (
  merchant         TEXT NOT NULL,
  id               TEXT NOT NULL,
  psp              TEXT NOT NULL,
  base_url         TEXT NOT NULL,
  api_key          TEXT NOT NULL,
  provider_account TEXT NOT NULL,
  access           TEXT NOT NULL,
  livemode         INTEGER NOT NULL,
  webhook_secrets  TEXT NOT NULL,
  settings         TEXT NOT NULL,
  since            INTEGER NOT NULL,
  chosen_at        INTEGER NOT NULL,
  closed           TEXT,
  PRIMARY KEY (merchant, id)
) STRICT, WITHOUT ROWID;
