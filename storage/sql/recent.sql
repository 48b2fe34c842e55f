-- name: list_orders_in
-- Orders of a zone by the time from which a courier could be sought for them.
select state from orders
where
    zone_id = :zone_id
    and coalesce(release_at, placed_at) >= instant(:since)
    and coalesce(release_at, placed_at) < instant(:until)
order by coalesce(release_at, placed_at), id
limit :limit;

-- name: list_orders_in_after
select state from orders
where
    zone_id = :zone_id
    and (coalesce(release_at, placed_at), id) > (instant(:at), :order_id::uuid)
    and coalesce(release_at, placed_at) < instant(:until)
order by coalesce(release_at, placed_at), id
limit :limit;

-- name: list_duties
-- Whoever of a zone is on duty, or said something about it in this time, with what he said.
with said as materialized (
    select thing_id, jsonb_agg(
        jsonb_build_array(millis(at), type) order by version, position
    ) as changes
    from events
    where
        at >= instant(:since) and at < instant(:until) and thing_kind = 'courier'
        and type = any(:types::text[])
    group by thing_id
)
select couriers.state, coalesce(said.changes, '[]') as changes
from couriers
left join said on said.thing_id = couriers.id
where couriers.zone_id = :zone_id and (couriers.duty <> 'off' or said.thing_id is not null)
order by couriers.id;

-- name: first_fixes
-- Where each courier was first seen from his instant on.
select
    asked.place::integer as place,
    fix.courier_id::text as courier_id,
    millis(fix.at) as at,
    fix.lat,
    fix.lng,
    fix.accuracy_m
from unnest(:couriers::uuid[], :instants::bigint[])
    with ordinality as asked (courier_id, since, place)
cross join lateral (
    select * from trail
    where trail.courier_id = asked.courier_id and trail.at >= instant(asked.since)
    order by trail.at
    limit 1
) as fix;
