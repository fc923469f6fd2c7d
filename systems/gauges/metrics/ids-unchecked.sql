-- metric: ids-unchecked
-- name: plimsoll_gauges_ids_unchecked_total
-- help: Set IDs that were given out while set_id_reuse_check was off.
-- kind: counter
-- labels:

SELECT count(*) AS value FROM gauge_set_ids WHERE NOT reuse_checked
