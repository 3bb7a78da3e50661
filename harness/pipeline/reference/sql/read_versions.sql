-- $1 message_id bigint[]: which of these are not settled, and their versions.
SELECT message_id, version FROM settlements WHERE message_id = ANY ($1::bigint[]) AND version = 0
