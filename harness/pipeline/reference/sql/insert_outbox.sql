-- $1 id bigint[]: the outbox rows of orders that are committed already.
INSERT INTO outbox (message_id, key, payload)
SELECT id, key, payload FROM orders WHERE id = ANY ($1::bigint[])
