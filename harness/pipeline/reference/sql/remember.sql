-- $1 consumer text, $2 message_id bigint[]: these are processed; an error if one was already.
INSERT INTO processed (consumer, message_id) SELECT $1::text, unnest($2::bigint[])
