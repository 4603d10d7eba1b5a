select coalesce(sum(points), 0)::bigint
from loyalty_ledger
where player_id = $1
