-- Gives the transaction its id now, as any earlier write in it would.
SELECT pg_current_xact_id()
