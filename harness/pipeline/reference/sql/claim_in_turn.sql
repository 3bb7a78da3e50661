-- $1 limit bigint: the oldest rows that are not sent, waiting for whoever holds one of them.
SELECT message_id, convert_to(key, 'UTF8'), payload
FROM outbox
WHERE sent_at IS NULL
ORDER BY message_id
LIMIT $1::bigint
FOR UPDATE
