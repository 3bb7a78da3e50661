CREATE TABLE payments (
    id uuid PRIMARY KEY,
    audit_id uuid NOT NULL UNIQUE,
    account text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE outbox (
    seq bigserial PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES payments,
    attempts int NOT NULL DEFAULT 0,
    sent boolean NOT NULL DEFAULT false
);
CREATE INDEX ON outbox (seq) WHERE NOT sent;

-- What came of it: one row each time a payment was booked, or an audit line was kept.
CREATE TABLE bookings (
    booking_id bigserial PRIMARY KEY,
    booked_by text NOT NULL,
    payment_id text NOT NULL,
    body text NOT NULL
);
CREATE TABLE audit_lines (
    line_id bigserial PRIMARY KEY,
    audit_id text NOT NULL,
    body text NOT NULL
);

-- Who has seen what.
CREATE TABLE seen (
    reader text NOT NULL,
    message_id text NOT NULL,
    PRIMARY KEY (reader, message_id)
);
