-- The things: zones, couriers, orders, offers, and who carries what
-- depends:

-- migrate: apply

-- A thing is kept whole in `state`; what is asked for or constrained is a column made from it, so
-- that the two can never disagree. `cell` is the actor that owns the thing.

create function instant(ms bigint) returns timestamptz
language sql immutable strict parallel safe
return to_timestamp(ms::float8 / 1000);

create function millis(at timestamptz) returns bigint
language sql stable strict parallel safe
return (extract(epoch from at) * 1000)::bigint;


create table zones (
    cell text collate "C" not null,
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    name_en text collate "C" generated always as (state ->> 'name_en') stored not null,
    anchor text collate "C" generated always as (state ->> 'anchor') stored not null,
    parameters_version integer
        generated always as ((state -> 'current' ->> 'version')::integer) stored not null,
    constraint zones_pkey primary key (id),
    constraint zones_version check (version > 0),
    constraint zones_parameters_version check (parameters_version > 0)
);

create index zones_of_cell on zones (cell);

create table zone_cells (
    cell text collate "C" not null,
    zone_id uuid not null,
    constraint zone_cells_pkey primary key (cell),
    constraint zone_cells_zone foreign key (zone_id) references zones
);

create index zone_cells_of_zone on zone_cells (zone_id);

create table zone_parameters (
    zone_id uuid not null,
    state jsonb not null,
    version integer generated always as ((state ->> 'version')::integer) stored,
    author uuid generated always as ((state ->> 'author')::uuid) stored not null,
    reason text generated always as (state ->> 'reason') stored not null,
    effective_at timestamptz
        generated always as (instant((state ->> 'effective_at')::bigint)) stored not null,
    constraint zone_parameters_pkey primary key (zone_id, version),
    constraint zone_parameters_zone foreign key (zone_id) references zones,
    constraint zone_parameters_version check (version > 0)
);


create table couriers (
    cell text collate "C" not null,
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    zone_id uuid generated always as ((state ->> 'zone_id')::uuid) stored not null,
    duty text generated always as (state ->> 'duty') stored not null,
    vehicle text generated always as (state ->> 'vehicle') stored not null,
    capacity_units integer
        generated always as ((state ->> 'capacity_units')::integer) stored not null,
    stops integer generated always as (jsonb_array_length(state -> 'route')) stored not null,
    offer_id uuid generated always as ((state ->> 'offer_id')::uuid) stored,
    constraint couriers_pkey primary key (id),
    constraint couriers_zone foreign key (zone_id) references zones,
    constraint couriers_version check (version > 0),
    constraint couriers_capacity check (capacity_units >= 0),
    constraint couriers_duty check (duty in ('off', 'on', 'break', 'ending')),
    constraint couriers_vehicle check (vehicle in ('car', 'motorcycle', 'bicycle', 'foot')),
    constraint couriers_offered_on_duty check (offer_id is null or duty = 'on'),
    constraint couriers_free_off_duty check (stops = 0 or duty in ('on', 'ending'))
) with (fillfactor = 75);

create index couriers_on_duty_in_cell on couriers (cell) where duty <> 'off';


create table orders (
    cell text collate "C" not null,
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    zone_id uuid generated always as ((state ->> 'zone_id')::uuid) stored not null,
    customer_id uuid generated always as ((state ->> 'customer_id')::uuid) stored not null,
    status text generated always as (state ->> 'status') stored not null,
    offer_id uuid generated always as ((state ->> 'offer_id')::uuid) stored,
    courier_id uuid generated always as ((state ->> 'courier_id')::uuid) stored,
    total_halalas bigint
        generated always as ((state ->> 'total_halalas')::bigint) stored not null,
    placed_at timestamptz
        generated always as (instant((state ->> 'placed_at')::bigint)) stored not null,
    release_at timestamptz generated always as (instant((state ->> 'release_at')::bigint)) stored,
    ended_at timestamptz generated always as (instant((state ->> 'ended_at')::bigint)) stored,
    constraint orders_pkey primary key (id),
    constraint orders_zone foreign key (zone_id) references zones,
    constraint orders_courier foreign key (courier_id) references couriers,
    constraint orders_version check (version > 0),
    constraint orders_total check (total_halalas >= 0),
    constraint orders_status check (
        status in (
            'placed', 'scheduled', 'waiting', 'offered', 'assigned', 'courier_at_shop',
            'picked_up', 'at_door', 'delivered', 'attempt_failed', 'returning', 'returned',
            'cancelled'
        )
    ),
    constraint orders_courier_when_carried check (
        (courier_id is not null) = (
            status in (
                'assigned', 'courier_at_shop', 'picked_up', 'at_door', 'delivered',
                'attempt_failed', 'returning', 'returned'
            )
        )
    ),
    constraint orders_offer_when_asked check (
        (offer_id is not null) = (status not in ('placed', 'scheduled', 'waiting', 'cancelled'))
    ),
    constraint orders_release_when_scheduled check (
        release_at is not null or status <> 'scheduled'
    ),
    constraint orders_ended_when_closed check (
        (ended_at is not null) = (status in ('delivered', 'returned', 'cancelled'))
    )
) with (fillfactor = 75);

-- `ended_at`, not `status`: a column that an index looks at makes every change of it dearer.
create index orders_open_in_cell on orders (cell) where ended_at is null;
create index orders_of_customer on orders (customer_id, placed_at desc, id desc);

-- The table of engine/orders/order.py, step by step.
create table order_steps (
    before text not null,
    event text not null,
    after text not null,
    constraint order_steps_pkey primary key (before, event)
);

insert into order_steps (before, event, after) values
    ('placed', 'OrderPlaced', 'placed'),
    ('placed', 'OrderScheduled', 'scheduled'),
    ('placed', 'OrderReleased', 'waiting'),
    ('scheduled', 'OrderReleased', 'waiting'),
    ('waiting', 'OrderOffered', 'offered'),
    ('offered', 'OrderOfferLapsed', 'waiting'),
    ('offered', 'OrderAssigned', 'assigned'),
    ('assigned', 'OrderUnassigned', 'waiting'),
    ('courier_at_shop', 'OrderUnassigned', 'waiting'),
    ('assigned', 'CourierReachedShop', 'courier_at_shop'),
    ('courier_at_shop', 'OrderPickedUp', 'picked_up'),
    ('picked_up', 'CourierReachedDoor', 'at_door'),
    ('at_door', 'PinMistaken', 'at_door'),
    ('at_door', 'OrderDelivered', 'delivered'),
    ('at_door', 'DeliveryAttemptFailed', 'attempt_failed'),
    ('attempt_failed', 'CourierReachedDoor', 'at_door'),
    ('attempt_failed', 'OrderReturnStarted', 'returning'),
    ('returning', 'OrderReturned', 'returned'),
    ('scheduled', 'OrderCancelled', 'cancelled'),
    ('waiting', 'OrderCancelled', 'cancelled'),
    ('offered', 'OrderCancelled', 'cancelled'),
    ('assigned', 'OrderCancelled', 'cancelled'),
    ('courier_at_shop', 'OrderCancelled', 'cancelled');

-- One decision may take several steps, so a row may go wherever some steps lead; the steps
-- themselves are in `events`.
create table order_transitions (
    before text not null,
    after text not null,
    constraint order_transitions_pkey primary key (before, after)
);

insert into order_transitions (before, after)
with recursive reachable (before, after) as (
    select before, after from order_steps
    union
    select reachable.before, order_steps.after
    from reachable
    join order_steps on order_steps.before = reachable.after
)
select before, after from reachable;


create table offers (
    cell text collate "C" not null,
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    zone_id uuid generated always as ((state ->> 'zone_id')::uuid) stored not null,
    courier_id uuid generated always as ((state ->> 'courier_id')::uuid) stored not null,
    status text generated always as (state ->> 'status') stored not null,
    made_at timestamptz
        generated always as (instant((state ->> 'made_at')::bigint)) stored not null,
    expires_at timestamptz
        generated always as (instant((state ->> 'expires_at')::bigint)) stored not null,
    answered_at timestamptz
        generated always as (instant((state ->> 'answered_at')::bigint)) stored,
    constraint offers_pkey primary key (id),
    constraint offers_zone foreign key (zone_id) references zones,
    constraint offers_courier foreign key (courier_id) references couriers,
    constraint offers_version check (version > 0),
    constraint offers_status check (
        status in ('open', 'accepted', 'declined', 'expired', 'withdrawn')
    ),
    constraint offers_answered_when_closed check ((answered_at is null) = (status = 'open')),
    constraint offers_expire_after_made check (expires_at >= made_at)
) with (fillfactor = 75);

create index offers_open_in_cell on offers (cell) where answered_at is null;
create unique index offers_one_open_for_courier on offers (courier_id) where answered_at is null;

-- Which order an offer asks about, and what became of that: `open` and `held` are the active ones.
create table assignments (
    offer_id uuid not null,
    order_id uuid not null,
    courier_id uuid not null,
    status text not null,
    constraint assignments_pkey primary key (order_id, offer_id),
    constraint assignments_offer foreign key (offer_id) references offers,
    constraint assignments_order foreign key (order_id) references orders,
    constraint assignments_status check (
        status in ('open', 'held', 'lapsed', 'released', 'finished')
    )
) with (fillfactor = 75);

create unique index assignments_one_active_for_order on assignments (order_id)
where status in ('open', 'held');


-- What a trigger refuses is a bug in the rules; its name is told as the constraint's.
create function refuse() returns trigger language plpgsql as $$
begin
    raise check_violation using
        message = format('%s %s: %s', tg_table_name, new.state ->> 'id', tg_name),
        constraint = tg_table_name || '_' || tg_name, table = tg_table_name;
end $$;

create trigger first_version before insert on zones for each row
when ((new.state ->> 'version')::integer <> 1) execute function refuse();
create trigger first_version before insert on couriers for each row
when ((new.state ->> 'version')::integer <> 1) execute function refuse();
create trigger first_version before insert on orders for each row
when ((new.state ->> 'version')::integer <> 1) execute function refuse();
create trigger first_version before insert on offers for each row
when ((new.state ->> 'version')::integer <> 1) execute function refuse();

create trigger next_version before update on zones for each row
when ((new.state ->> 'version')::integer <> old.version + 1) execute function refuse();
create trigger next_version before update on couriers for each row
when ((new.state ->> 'version')::integer <> old.version + 1) execute function refuse();
create trigger next_version before update on orders for each row
when ((new.state ->> 'version')::integer <> old.version + 1) execute function refuse();
create trigger next_version before update on offers for each row
when ((new.state ->> 'version')::integer <> old.version + 1) execute function refuse();

create trigger closed before update on orders for each row
when (old.ended_at is not null) execute function refuse();
create trigger closed before update on offers for each row
when (old.answered_at is not null) execute function refuse();

create function check_transition() returns trigger language plpgsql as $$
begin
    if not exists (
        select from order_transitions
        where before = old.status and after = new.state ->> 'status'
    ) then
        raise check_violation using
            message = format('order %s: %s after %s', old.id, new.state ->> 'status', old.status),
            constraint = 'orders_transition', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger transition before update on orders for each row
when (new.state ->> 'status' <> old.status) execute function check_transition();


-- migrate: rollback

drop table assignments, offers, order_transitions, order_steps, orders, couriers, zone_parameters,
    zone_cells, zones;

drop function check_transition, refuse, millis, instant;
