-- $1 limit bigint, $2 last id bigint: the next rows by id, locked by nobody.
SELECT message_id, convert_to(key, 'UTF8'), payload
FROM outbox
WHERE message_id > $2::bigint
ORDER BY message_id
LIMIT $1::bigint
