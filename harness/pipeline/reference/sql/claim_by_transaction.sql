-- $1 limit bigint: the unsent rows by the id of their transaction, waiting for whoever holds one.
SELECT message_id, convert_to(key, 'UTF8'), payload
FROM outbox
WHERE sent_at IS NULL
ORDER BY placed_by, message_id
LIMIT $1::bigint
FOR UPDATE
