-- $1 message_id bigint[]: these were acknowledged, and are kept nowhere.
DELETE FROM outbox WHERE message_id = ANY ($1::bigint[])
