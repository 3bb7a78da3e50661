-- $1 key text[]: where each key stands.
SELECT k.key, coalesce((SELECT max(o.sequence) FROM orders o WHERE o.key = k.key), 0)
FROM unnest($1::text[]) AS k (key)
