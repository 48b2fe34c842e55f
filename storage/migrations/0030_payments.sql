-- Payments, all that happened to each, and the notices of gateways that were heard
-- depends: 0028_gift_links

-- migrate: apply

create table payments (
    state jsonb not null,
    due_at timestamptz,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    customer_id uuid generated always as ((state ->> 'customer_id')::uuid) stored not null,
    order_id uuid generated always as ((state ->> 'order_id')::uuid) stored not null,
    gateway text collate "C" generated always as (state ->> 'gateway') stored not null,
    status text collate "C" generated always as (state ->> 'status') stored not null,
    reference text collate "C" generated always as (state ->> 'reference') stored not null,
    amount_halalas bigint
        generated always as ((state ->> 'amount_halalas')::bigint) stored not null,
    captured_halalas bigint
        generated always as ((state ->> 'captured_halalas')::bigint) stored not null,
    returned_halalas bigint generated always as (
        (state ->> 'refunded_halalas')::bigint + (state ->> 'credited_halalas')::bigint
    ) stored not null,
    target_halalas bigint generated always as ((state ->> 'target_halalas')::bigint) stored,
    made_at timestamptz
        generated always as (instant((state ->> 'made_at')::bigint)) stored not null,
    constraint payments_pkey primary key (id),
    constraint payments_version check (version > 0),
    constraint payments_captured check (captured_halalas between 0 and amount_halalas),
    constraint payments_returned check (returned_halalas between 0 and captured_halalas),
    constraint payments_status check (
        status in (
            'new', 'unknown', 'challenged', 'authorised', 'captured', 'refunded', 'declined',
            'voided', 'mismatched'
        )
    ),
    constraint payments_unknown_is_due check (due_at is not null or status not in ('new', 'unknown'))
) with (fillfactor = 70);

create index payments_of_customer on payments (customer_id, made_at desc, id desc);
create index payments_of_order on payments (order_id, made_at, id);
create index payments_of_reference on payments (gateway, reference) where reference <> '';
create index payments_due on payments (due_at, id) where due_at is not null;
-- A quote is paid for once: not again while a payment may take the money and keep it, or has. One
-- that was given up, happened after all and is given back stands in nobody's way.
create unique index payments_one_of_order on payments (order_id)
where status not in ('declined', 'voided', 'refunded') and target_halalas is distinct from 0;

create table payment_events (
    payment_id uuid not null,
    version integer not null,
    position smallint not null,
    event jsonb not null,
    constraint payment_events_pkey primary key (payment_id, version, position),
    constraint payment_events_payment foreign key (payment_id) references payments
);

create table payment_notices (
    id text collate "C" not null,
    payment_id uuid not null,
    heard_at timestamptz not null,
    constraint payment_notices_pkey primary key (id),
    constraint payment_notices_payment foreign key (payment_id) references payments
);


-- migrate: rollback

drop table payment_notices, payment_events, payments;
