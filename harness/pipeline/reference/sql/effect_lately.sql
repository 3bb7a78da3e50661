-- $1 consumer text, $2 message_id bigint[], $3 payload_sha256 bytea[]: one effect for each message
-- that is not remembered.
WITH incoming AS (
    SELECT DISTINCT ON (message_id) message_id, payload_sha256
    FROM unnest($2::bigint[], $3::bytea[]) AS given (message_id, payload_sha256)
    ORDER BY message_id
), fresh AS (
    INSERT INTO processed_lately (consumer, message_id)
    SELECT $1::text, message_id FROM incoming
    ON CONFLICT DO NOTHING
    RETURNING message_id
)
INSERT INTO effects (consumer, message_id, payload_sha256)
SELECT $1::text, message_id, payload_sha256 FROM incoming JOIN fresh USING (message_id)
RETURNING message_id
