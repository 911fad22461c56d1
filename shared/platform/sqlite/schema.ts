/**
 * The store's schema: the scripts that lead from each version (`PRAGMA user_version`) to the next. A script that was
 * published never changes; a change of the schema is one more script.
 */
export const MIGRATIONS: readonly string[] = [
  `
  -- Index keys are null unless the item has both of that index, which keeps it out of the index.
  CREATE TABLE items (
    pk TEXT NOT NULL,
    sk TEXT NOT NULL,
    gsi1pk TEXT, gsi1sk TEXT,
    gsi2pk TEXT, gsi2sk TEXT,
    expires_at REAL,
    item TEXT NOT NULL,
    PRIMARY KEY (pk, sk)
  ) WITHOUT ROWID;
  CREATE INDEX items_gsi1 ON items (gsi1pk, gsi1sk) WHERE gsi1pk IS NOT NULL;
  CREATE INDEX items_gsi2 ON items (gsi2pk, gsi2sk) WHERE gsi2pk IS NOT NULL;
  CREATE INDEX items_expiry ON items (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    pk TEXT NOT NULL,
    sk TEXT NOT NULL,
    before TEXT,
    after TEXT
  );
  CREATE TABLE consumers (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;

  CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    queue TEXT NOT NULL,
    body TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    receive_count INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX messages_visible ON messages (queue, visible_at);

  CREATE TABLE mails (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    html TEXT NOT NULL,
    forwarded INTEGER NOT NULL
  );

  -- Written where a commit has to reach the disk although it changes nothing else.
  CREATE TABLE syncs (count INTEGER NOT NULL);
  INSERT INTO syncs VALUES (0);
  `,
];
