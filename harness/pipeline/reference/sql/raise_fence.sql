-- $1 resource text, $2 token bigint: from now on only this holder, or a later one, may act. No row:
-- a later one has come already.
INSERT INTO fences AS f (resource, token) VALUES ($1::text, $2::bigint)
ON CONFLICT (resource) DO UPDATE SET token = EXCLUDED.token WHERE f.token <= EXCLUDED.token
RETURNING token
