-- name: lock_things
-- The versions of what a group changes, locked kind by kind in one order, and what was answered before.
with found_zones as materialized (
    select id, version from zones where id = any(:zones::uuid[])
    order by id for no key update
),
found_couriers as materialized (
    select id, version from couriers where id = any(:couriers::uuid[])
    order by id for no key update
),
found_orders as materialized (
    select id, version from orders where id = any(:orders::uuid[])
    order by id for no key update
),
found_offers as materialized (
    select id, version from offers where id = any(:offers::uuid[])
    order by id for no key update
)
select 'zone:' || id as name, version, null::jsonb as answer from found_zones
union all
select 'courier:' || id, version, null from found_couriers
union all
select 'order:' || id, version, null from found_orders
union all
select 'offer:' || id, version, null from found_offers
union all
select 'answer:' || command_id, 0, state from answers where command_id = any(:commands::uuid[]);

-- name: find_answers
select command_id::text as command_id, state from answers
where command_id = any(:commands::uuid[]);

-- name: find_answer
select state from answers where command_id = :command_id;

-- name: save_answers!
insert into answers (command_id, at, state)
select command_id, instant(at), state
from unnest(:command_ids::uuid[], :ats::bigint[], :states::jsonb[])
    as new (command_id, at, state);

-- name: save_events!
insert into events (
    thing_kind, thing_id, version, position, type, at, device_at, command_id, data
)
select
    thing_kind,
    thing_id,
    version,
    position,
    event ->> 'type',
    instant((event ->> 'at')::bigint),
    instant((event ->> 'device_at')::bigint),
    command_id,
    event - array['type', 'at', 'device_at']
from unnest(
    :thing_kinds::text[], :thing_ids::uuid[], :versions::integer[], :positions::smallint[],
    :command_ids::uuid[], :events::jsonb[]
) as new (thing_kind, thing_id, version, position, command_id, event);

-- name: list_events
select
    thing_kind,
    thing_id::text as thing_id,
    version,
    position,
    type,
    millis(at) as at,
    millis(device_at) as device_at,
    data
from events
where thing_id = :thing_id
order by version, position;
