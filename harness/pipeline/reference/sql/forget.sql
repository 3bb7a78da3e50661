-- $1 milliseconds bigint: whatever was processed longer ago is forgotten.
DELETE FROM processed_lately WHERE at < now() - $1::bigint * interval '1 millisecond'
