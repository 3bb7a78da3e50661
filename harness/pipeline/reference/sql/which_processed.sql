-- $1 consumer text, $2 message_id bigint[]: which of these were processed before.
SELECT message_id FROM processed WHERE consumer = $1::text AND message_id = ANY ($2::bigint[])
