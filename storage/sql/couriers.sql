-- name: load_couriers
select state from couriers
where zone_id in (select id from zones where cell = :cell) and duty <> 'off'
order by id;

-- name: find_couriers
select id::text as id, state from couriers where id = any(:ids::uuid[]);

-- name: cells_of_couriers
select couriers.id::text as id, zones.cell from couriers
join zones on zones.id = couriers.zone_id
where couriers.id = any(:ids::uuid[]);

-- name: last_fixes
select
    fix.courier_id::text as courier_id,
    millis(fix.at) as at,
    fix.lat,
    fix.lng,
    fix.accuracy_m
from couriers
cross join lateral (
    select * from trail
    where trail.courier_id = couriers.id
    order by trail.at desc
    limit 1
) as fix
where couriers.zone_id in (select id from zones where cell = :cell) and couriers.duty <> 'off'
order by fix.courier_id;

-- name: list_trail
select
    courier_id::text as courier_id,
    millis(at) as at,
    lat,
    lng,
    accuracy_m
from trail
where courier_id = :courier_id and at >= instant(:since) and at < instant(:until)
order by at
limit :limit;
