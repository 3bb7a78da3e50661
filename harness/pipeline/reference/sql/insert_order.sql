-- $1 key text[], $2 sequence bigint[], $3 payload bytea[]: orders and their outbox rows.
WITH placed AS (
    INSERT INTO orders (key, sequence, payload)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[])
    RETURNING id, key, payload
)
INSERT INTO outbox (message_id, key, payload)
SELECT id, key, payload FROM placed
RETURNING message_id, convert_to(key, 'UTF8'), payload
