-- $1 key text[], $2 sequence bigint[], $3 payload bytea[]: orders, with no outbox row (dual write).
INSERT INTO orders (key, sequence, payload)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[])
RETURNING id, convert_to(key, 'UTF8'), payload
