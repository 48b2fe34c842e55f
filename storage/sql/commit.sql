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

-- name: change_things
-- What open questions and carried orders come to, and the next version of things that were locked;
-- how many things were changed.
with settled as (
    update assignments
    set status = new.status, courier_id = coalesce(new.courier_id, assignments.courier_id)
    from unnest(:settled_orders::uuid[], :settled_as::text[], :settled_by::uuid[])
        as new (order_id, status, courier_id)
    where assignments.order_id = new.order_id and assignments.status in ('open', 'held')
),
new (kind, id, cell, state) as materialized (
    select * from unnest(:kinds::text[], :ids::uuid[], :cells::text[], :states::jsonb[])
),
changed_zones as (
    update zones set cell = new.cell, state = new.state
    from new where new.kind = 'zone' and zones.id = new.id returning 1
),
changed_couriers as (
    update couriers set cell = new.cell, state = new.state
    from new where new.kind = 'courier' and couriers.id = new.id returning 1
),
changed_orders as (
    update orders set cell = new.cell, state = new.state
    from new where new.kind = 'order' and orders.id = new.id returning 1
),
changed_offers as (
    update offers set cell = new.cell, state = new.state
    from new where new.kind = 'offer' and offers.id = new.id returning 1
)
select
    (select count(*) from changed_zones) + (select count(*) from changed_couriers)
    + (select count(*) from changed_orders) + (select count(*) from changed_offers);

-- name: add_things!
-- The first version of things, the questions that the new offers put, and the orders that came to
-- an accepted trip; an order may come back to one that it was on before.
with new (kind, cell, state) as materialized (
    select * from unnest(:kinds::text[], :cells::text[], :states::jsonb[])
),
new_zones as (
    insert into zones (cell, state) select cell, state from new where kind = 'zone'
),
new_couriers as (
    insert into couriers (cell, state) select cell, state from new where kind = 'courier'
),
new_orders as (
    insert into orders (cell, state) select cell, state from new where kind = 'order'
),
new_offers as (
    insert into offers (cell, state) select cell, state from new where kind = 'offer'
)
insert into assignments (offer_id, order_id, courier_id, status)
select * from unnest(
    :assigned_offers::uuid[], :assigned_orders::uuid[], :assigned_couriers::uuid[],
    :assigned_as::text[]
)
on conflict on constraint assignments_pkey do update
set courier_id = excluded.courier_id, status = excluded.status;

-- name: save_history!
-- What happened, what has to happen outside, and what was answered.
with new_events as (
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
    ) as new (thing_kind, thing_id, version, position, command_id, event)
),
new_effects as (
    insert into outbox (effect_id, type, effect, made_at, due_at)
    select (effect ->> 'id')::uuid, effect ->> 'type', effect, instant(at), instant(at)
    from unnest(:effects::jsonb[], :promised_at::bigint[]) as new (effect, at)
)
insert into answers (command_id, at, state)
select command_id, instant(at), state
from unnest(:answered_commands::uuid[], :answered_at::bigint[], :answers::jsonb[])
    as new (command_id, at, state);

-- name: find_answers
select command_id::text as command_id, state from answers
where command_id = any(:commands::uuid[]);

-- name: find_answer
select state from answers where command_id = :command_id;

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
