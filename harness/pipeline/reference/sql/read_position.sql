-- How far the relay has come, by id.
SELECT coalesce(max(last_id), 0) FROM relay_position
