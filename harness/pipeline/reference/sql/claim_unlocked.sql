-- $1 limit bigint: the oldest rows that are not sent, locked by nobody.
SELECT message_id, convert_to(key, 'UTF8'), payload
FROM outbox
WHERE sent_at IS NULL
ORDER BY message_id
LIMIT $1::bigint
