--   outbox, card and parked say when a row was given up (`dead_at`); outbox and card since when a row is owed (`owed_at`): since
--   it was first due, or since the card is behind. Of rows that an older program wrote both may be missing.

ALTER TABLE outbox ADD COLUMN owed_at INTEGER;
ALTER TABLE outbox ADD COLUMN dead_at INTEGER;
ALTER TABLE card ADD COLUMN owed_at INTEGER;
ALTER TABLE card ADD COLUMN dead_at INTEGER;
ALTER TABLE parked ADD COLUMN dead_at INTEGER;
