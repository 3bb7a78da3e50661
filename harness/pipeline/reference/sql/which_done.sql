-- $1 message_id bigint[]: which of these were done under a lock before.
SELECT message_id FROM done WHERE message_id = ANY ($1::bigint[])
