-- $1 id bigint[]: which of these orders were committed.
SELECT id FROM orders WHERE id = ANY ($1::bigint[])
