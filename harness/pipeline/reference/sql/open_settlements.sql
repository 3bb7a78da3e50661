-- $1 message_id bigint[]: each of these has a settlement, at version 0 if it is new.
INSERT INTO settlements (message_id) SELECT DISTINCT unnest($1::bigint[]) ON CONFLICT DO NOTHING
