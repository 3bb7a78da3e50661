-- $1 resource text, $2 token bigint: a row, held until the end of the transaction, if no later
-- holder has come.
SELECT token FROM fences WHERE resource = $1::text AND token = $2::bigint FOR UPDATE
