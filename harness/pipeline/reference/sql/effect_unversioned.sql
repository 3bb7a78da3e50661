-- $1 consumer text, $2 message_id bigint[], $3 payload_sha256 bytea[], $4 version bigint[]: settle
-- each message, whatever became of it since its version was read.
WITH settled AS (
    UPDATE settlements AS s
    SET version = given.version + 1
    FROM unnest($2::bigint[], $3::bytea[], $4::bigint[])
        AS given (message_id, payload_sha256, version)
    WHERE s.message_id = given.message_id
    RETURNING s.message_id, given.payload_sha256
)
INSERT INTO effects (consumer, message_id, payload_sha256)
SELECT $1::text, message_id, payload_sha256 FROM settled
RETURNING message_id
