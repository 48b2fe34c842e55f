-- Gifts that wait for their recipients' addresses
-- depends: 0027_invoices

-- migrate: apply

create table gift_links (
    state jsonb not null,
    due_at timestamptz,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    customer_id uuid generated always as ((state ->> 'customer_id')::uuid) stored not null,
    status text generated always as (state ->> 'status') stored not null,
    made_at timestamptz
        generated always as (instant((state ->> 'made_at')::bigint)) stored not null,
    constraint gift_links_pkey primary key (id),
    constraint gift_links_version check (version > 0),
    constraint gift_links_status check (
        status in ('open', 'answered', 'placed', 'expired', 'withdrawn')
    ),
    constraint gift_links_due_while_open check (
        due_at is not null or status not in ('open', 'answered')
    )
) with (fillfactor = 70);

create index gift_links_of_customer on gift_links (customer_id, made_at desc, id desc);
create index gift_links_due on gift_links (due_at, id) where due_at is not null;


-- migrate: rollback

drop table gift_links;
