-- What the business knows: one row per order. `sequence` counts per key, so that an order that was
-- lost or swapped can be told from its neighbours.
CREATE TABLE orders (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key      text   NOT NULL,
    sequence bigint NOT NULL,
    payload  bytea  NOT NULL,
    UNIQUE (key, sequence)
);

-- The local message table: written in the transaction of its order, marked after the
-- acknowledgement of the broker.
CREATE TABLE outbox (
    message_id   bigint PRIMARY KEY,
    key          text   NOT NULL,
    payload      bytea  NOT NULL,
    sent_at      timestamptz,
    -- Only for relays that are not safe: rows lent for a time, rows sent by transaction id.
    leased_until timestamptz,
    placed_by    xid8   NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX outbox_unsent ON outbox (message_id) WHERE sent_at IS NULL;

-- Only for relays that keep a position in place of marks, which is not safe.
CREATE TABLE relay_position (
    relay   text   PRIMARY KEY,
    last_id bigint NOT NULL
);

-- The idempotency key: written in the transaction of the effect.
CREATE TABLE processed (
    consumer   text   NOT NULL,
    message_id bigint NOT NULL,
    PRIMARY KEY (consumer, message_id)
);

-- What the consumer did. No unique constraint here on purpose: a double effect must stay visible.
CREATE TABLE effects (
    consumer       text   NOT NULL,
    message_id     bigint NOT NULL,
    payload_sha256 bytea  NOT NULL
);

-- An idempotency key that expires (CONSUMER_DEDUP = "expiring").
CREATE TABLE processed_lately (
    consumer   text        NOT NULL,
    message_id bigint      NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, message_id)
);

-- What optimistic locking is about: 0 is not settled, and every change adds one.
CREATE TABLE settlements (
    message_id bigint PRIMARY KEY,
    version    bigint NOT NULL DEFAULT 0
);

-- What is done under a lock. No unique constraint on purpose: the lock is what is tried.
CREATE TABLE done (message_id bigint NOT NULL);
CREATE INDEX done_by_message ON done (message_id);

-- The highest fencing token that was seen for each lock.
CREATE TABLE fences (
    resource text   PRIMARY KEY,
    token    bigint NOT NULL
);
