-- name: orders_of_zone_since
-- Orders of a zone to which anything happened since then.
select state from orders
where zone_id = :zone_id and id in (
    select thing_id from events where thing_kind = 'order' and at >= instant(:since)
)
order by placed_at, id;

-- name: offers_of_zone_since
select state from offers
where zone_id = :zone_id and id in (
    select thing_id from events where thing_kind = 'offer' and at >= instant(:since)
)
order by made_at, id;

-- name: couriers_of_zone_since
-- Those who work now, and those to whom anything happened since then.
select state from couriers
where zone_id = :zone_id and id in (
    select thing_id from events where thing_kind = 'courier' and at >= instant(:since)
    union all
    select on_duty.id from couriers as on_duty where on_duty.duty <> 'off'
)
order by id;

-- name: events_of_zone_since
select
    events.thing_id::text as thing_id,
    events.type,
    millis(events.at) as at,
    millis(events.device_at) as device_at
from events
left join orders on events.thing_kind = 'order' and orders.id = events.thing_id
left join couriers on events.thing_kind = 'courier' and couriers.id = events.thing_id
where
    events.at >= instant(:since) and events.type = any(:types::text[])
    and coalesce(orders.zone_id, couriers.zone_id) = :zone_id
order by events.at, events.thing_id, events.version, events.position;
