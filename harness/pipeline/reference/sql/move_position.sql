-- $1 last id bigint: everything up to this id is called sent.
INSERT INTO relay_position (relay, last_id) VALUES ('relay', $1::bigint)
ON CONFLICT (relay) DO UPDATE SET last_id = excluded.last_id
