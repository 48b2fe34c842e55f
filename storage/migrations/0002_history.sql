-- What happened, what was answered, and what still has to happen outside
-- depends: 0001_things

-- migrate: apply

create table events (
    thing_kind text not null,
    thing_id uuid not null,
    version integer not null,
    position smallint not null,
    type text not null,
    at timestamptz not null,
    device_at timestamptz,
    command_id uuid,
    data jsonb not null,
    constraint events_pkey primary key (thing_id, version, position),
    constraint events_kind check (thing_kind in ('zone', 'courier', 'order', 'offer')),
    constraint events_version check (version > 0),
    constraint events_position check (position >= 0)
);

create index events_by_time on events using brin (at);

create function keep_history() returns trigger language plpgsql as $$
begin
    raise check_violation using
        message = 'what has happened cannot be changed', constraint = 'events_kept',
        table = tg_table_name;
end $$;

create trigger kept before update or delete on events
for each statement execute function keep_history();


create table answers (
    command_id uuid not null,
    at timestamptz not null,
    state jsonb not null,
    constraint answers_pkey primary key (command_id)
);

create index answers_by_time on answers using brin (at);


-- `due_at` is when it may be taken: now at first, the end of the lease while somebody has it.
create table outbox (
    effect_id uuid not null,
    type text not null,
    effect jsonb not null,
    made_at timestamptz not null,
    due_at timestamptz not null,
    done_at timestamptz,
    attempts integer not null default 0,
    last_error text not null default '',
    constraint outbox_pkey primary key (effect_id),
    constraint outbox_attempts check (attempts >= 0)
);

create index outbox_due on outbox (due_at, effect_id) where done_at is null;


create table quotes (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    customer_id uuid generated always as ((state ->> 'customer_id')::uuid) stored not null,
    zone_id uuid generated always as ((state ->> 'zone_id')::uuid) stored not null,
    total_halalas bigint
        generated always as ((state ->> 'total_halalas')::bigint) stored not null,
    valid_until timestamptz
        generated always as (instant((state ->> 'valid_until')::bigint)) stored not null,
    constraint quotes_pkey primary key (id),
    constraint quotes_total check (total_halalas >= 0)
);


-- Telemetry: no keys to other tables, appended in bulk, given up by age.
create table trail (
    courier_id uuid not null,
    at timestamptz not null,
    lat float8 not null,
    lng float8 not null,
    accuracy_m float8 not null,
    constraint trail_lat check (lat between -90 and 90),
    constraint trail_lng check (lng between -180 and 180)
);

create index trail_of_courier on trail (courier_id, at desc);
create index trail_by_time on trail using brin (at);


-- migrate: rollback

drop table trail, quotes, outbox, answers, events;

drop function keep_history;
