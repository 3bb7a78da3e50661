-- $1 message_id bigint[]: these were acknowledged.
UPDATE outbox SET sent_at = now() WHERE message_id = ANY ($1::bigint[])
