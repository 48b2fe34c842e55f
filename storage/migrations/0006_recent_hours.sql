-- What the last hours of a zone are found by
-- depends: 0005_waits

-- migrate: apply

create index orders_of_zone on orders (zone_id, (coalesce(release_at, placed_at)), id);
create index couriers_of_zone on couriers (zone_id);


-- migrate: rollback

drop index couriers_of_zone, orders_of_zone;
