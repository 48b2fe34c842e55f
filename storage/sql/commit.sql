-- name: store
-- Everything that a group of commits changes and adds: things in their next or first version, what
-- open questions and carried orders come to, the questions that new offers put, the orders that came
-- to an accepted trip (one may come back to a trip that it was on before), what orders are found by,
-- what happened, what has to happen outside, and what was answered.
-- What is changed is locked kind by kind in one order. A commit whose things are not in the version
-- before, or whose command was answered already, does nothing; told is how its things stand, and the
-- answer.
with asked as materialized (
    select
        number,
        kind,
        (state ->> 'id')::uuid as id,
        (state ->> 'version')::integer as version,
        cell,
        state,
        events
    from unnest(
        :thing_commits::integer[], :kinds::text[], :cells::text[], :states::jsonb[],
        :events::jsonb[]
    ) as new (number, kind, cell, state, events)
),
answered as materialized (
    select number, command_id, instant(at) as at, state
    from unnest(:at::bigint[], :command_ids::uuid[], :answers::jsonb[])
        with ordinality as new (at, command_id, state, number)
    where state is not null
),
found_zones as materialized (
    select id, version from zones
    where id = any(array(select id from asked where kind = 'zone'))
    order by id for no key update
),
found_couriers as materialized (
    select id, version from couriers
    where id = any(array(select id from asked where kind = 'courier'))
    order by id for no key update
),
found_orders as materialized (
    select id, version from orders
    where id = any(array(select id from asked where kind = 'order'))
    order by id for no key update
),
found_offers as materialized (
    select id, version from offers
    where id = any(array(select id from asked where kind = 'offer'))
    order by id for no key update
),
found as materialized (
    select 'zone' as kind, id, version from found_zones
    union all
    select 'courier', id, version from found_couriers
    union all
    select 'order', id, version from found_orders
    union all
    select 'offer', id, version from found_offers
),
stands as materialized (
    select
        asked.number,
        asked.kind,
        asked.id,
        asked.version as wanted,
        coalesce(found.version, 0) as version
    from asked left join found on found.kind = asked.kind and found.id = asked.id
),
said_before as materialized (
    select answered.number, answers.command_id, answers.state
    from answered join answers on answers.command_id = answered.command_id
),
late as materialized (
    select number from stands where version <> wanted - 1
    union
    select number from said_before
),
next as materialized (
    select * from asked where number not in (select number from late)
),
settled as (
    update assignments
    set status = new.status, courier_id = coalesce(new.courier_id, assignments.courier_id)
    from unnest(
        :settled_commits::integer[], :settled_orders::uuid[], :settled_as::text[],
        :settled_by::uuid[]
    ) as new (number, order_id, status, courier_id)
    where
        new.number not in (select number from late)
        and assignments.order_id = new.order_id
        and assignments.status in ('open', 'held')
    returning 1
),
changed_zones as (
    update zones set cell = next.cell, state = next.state
    from next where next.kind = 'zone' and next.version > 1 and zones.id = next.id
),
changed_couriers as (
    update couriers set cell = next.cell, state = next.state
    from next where next.kind = 'courier' and next.version > 1 and couriers.id = next.id
),
changed_orders as (
    update orders set cell = next.cell, state = next.state
    from next where next.kind = 'order' and next.version > 1 and orders.id = next.id
),
changed_offers as (
    update offers set cell = next.cell, state = next.state
    from next where next.kind = 'offer' and next.version > 1 and offers.id = next.id
    returning 1
),
-- No question is put before those whose place it takes are settled: an index looks at once.
before as materialized (
    select (select count(*) from settled) + (select count(*) from changed_offers) as settled
),
new_zones as (
    insert into zones (cell, state)
    select cell, state from next where kind = 'zone' and version = 1
),
new_couriers as (
    insert into couriers (cell, state)
    select cell, state from next where kind = 'courier' and version = 1
),
new_orders as (
    insert into orders (cell, state)
    select cell, state from next where kind = 'order' and version = 1
),
new_offers as (
    insert into offers (cell, state)
    select cell, state from before cross join next where kind = 'offer' and version = 1
),
new_assignments as (
    insert into assignments (offer_id, order_id, courier_id, status)
    select offer_id, order_id, courier_id, status from before cross join unnest(
        :assigned_by::integer[], :assigned_offers::uuid[], :assigned_orders::uuid[],
        :assigned_couriers::uuid[], :assigned_as::text[]
    ) as new (number, offer_id, order_id, courier_id, status)
    where number not in (select number from late)
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
    where (:found_by::integer[])[place] not in (select number from late)
    on conflict on constraint order_tokens_pkey do nothing
),
new_events as (
    insert into events (
        thing_kind, thing_id, version, position, type, at, device_at, command_id, data
    )
    select
        kind,
        id,
        version,
        position - 1,
        event ->> 'type',
        instant((event ->> 'at')::bigint),
        instant((event ->> 'device_at')::bigint),
        (:command_ids::uuid[])[number],
        event - array['type', 'at', 'device_at']
    from next
    cross join jsonb_array_elements(events) with ordinality as happened (event, position)
),
new_effects as (
    insert into outbox (effect_id, type, effect, made_at, due_at)
    select (effect ->> 'id')::uuid, effect ->> 'type', effect, at, at
    from unnest(:promised_by::integer[], :effects::jsonb[]) as new (number, effect)
    cross join instant((:at::bigint[])[number]) as at
    where number not in (select number from late)
),
new_answers as (
    insert into answers (command_id, at, state)
    select command_id, at, state from answered
    where number not in (select number from late)
)
select number, kind || ':' || id as name, version, null::jsonb as answer
from stands where number in (select number from late)
union all
select number, 'answer:' || command_id, 0, state from said_before;

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
