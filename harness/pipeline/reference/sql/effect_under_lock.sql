-- $1 consumer text, $2 message_id bigint[], $3 payload_sha256 bytea[]: effects, and that they are
-- done. The lock is what keeps others away: nothing here does.
WITH marked AS (
    INSERT INTO done (message_id) SELECT unnest($2::bigint[])
)
INSERT INTO effects (consumer, message_id, payload_sha256)
SELECT $1::text, message_id, payload_sha256
FROM unnest($2::bigint[], $3::bytea[]) AS given (message_id, payload_sha256)
RETURNING message_id
