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

-- name: add
-- All that is new in a group of commits: the first versions of things, the questions that new offers
-- put, the orders that came to an accepted trip (one may come back to a trip that it was on before),
-- what orders are found by, what happened, what has to happen outside, and what was answered.
-- A commit in whose way an order or an answer of the same id stands adds nothing; told is what
-- stands there.
with asked as materialized (
    select * from unnest(
        :thing_commits::integer[], :kinds::text[], :ids::uuid[], :cells::text[], :states::jsonb[]
    ) as new (number, kind, id, cell, state)
),
answered as materialized (
    select * from unnest(
        :answered_by::integer[], :answered_commands::uuid[], :answered_at::bigint[],
        :answers::jsonb[]
    ) as new (number, command_id, at, state)
),
in_the_way as materialized (
    select asked.number, 'order:' || orders.id as name, orders.version, null::jsonb as answer
    from asked join orders on orders.id = asked.id
    where asked.kind = 'order'
    union all
    select answered.number, 'answer:' || answers.command_id, 0, answers.state
    from answered join answers on answers.command_id = answered.command_id
),
new as materialized (
    select kind, cell, state from asked where number not in (select number from in_the_way)
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
),
new_assignments as (
    insert into assignments (offer_id, order_id, courier_id, status)
    select offer_id, order_id, courier_id, status from unnest(
        :assigned_by::integer[], :assigned_offers::uuid[], :assigned_orders::uuid[],
        :assigned_couriers::uuid[], :assigned_as::text[]
    ) as new (number, offer_id, order_id, courier_id, status)
    where number not in (select number from in_the_way)
    on conflict on constraint assignments_pkey do update
    set courier_id = excluded.courier_id, status = excluded.status
),
new_tokens as (
    insert into order_tokens (token, placed_at, order_id, is_personal)
    select
        token,
        instant((:placed_at::bigint[])[place]),
        (:found_orders::uuid[])[place],
        is_personal
    from unnest(:tokens::bigint[], :token_places::integer[], :are_personal::boolean[])
        as new (token, place, is_personal)
    where (:found_by::integer[])[place] not in (select number from in_the_way)
    on conflict on constraint order_tokens_pkey do nothing
),
new_events as (
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
        :event_commits::integer[], :thing_kinds::text[], :thing_ids::uuid[], :versions::integer[],
        :positions::smallint[], :command_ids::uuid[], :events::jsonb[]
    ) as new (number, thing_kind, thing_id, version, position, command_id, event)
    where number not in (select number from in_the_way)
),
new_effects as (
    insert into outbox (effect_id, type, effect, made_at, due_at)
    select (effect ->> 'id')::uuid, effect ->> 'type', effect, instant(at), instant(at)
    from unnest(:promised_by::integer[], :effects::jsonb[], :promised_at::bigint[])
        as new (number, effect, at)
    where number not in (select number from in_the_way)
),
new_answers as (
    insert into answers (command_id, at, state)
    select command_id, instant(at), state from answered
    where number not in (select number from in_the_way)
)
select name, version, answer from in_the_way;

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
