-- $1 limit bigint, $2 milliseconds bigint: the oldest unsent rows, lent for so long.
UPDATE outbox SET leased_until = clock_timestamp() + $2::bigint * interval '1 millisecond'
WHERE message_id IN (
    SELECT message_id
    FROM outbox
    WHERE sent_at IS NULL AND (leased_until IS NULL OR leased_until < clock_timestamp())
    ORDER BY message_id
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
)
RETURNING message_id, convert_to(key, 'UTF8'), payload
