-- Where couriers are paid, what is on its way there, and what is held for disputes
-- depends: 0028_gift_links

-- migrate: apply

-- The account itself is sealed; a courier's newest one counts, and none is ever changed.
create table bank_accounts (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    courier_id uuid generated always as ((state ->> 'courier_id')::uuid) stored not null,
    made_at timestamptz
        generated always as (instant((state ->> 'made_at')::bigint)) stored not null,
    key_id text collate "C" generated always as (state ->> 'key_id') stored not null,
    constraint bank_accounts_pkey primary key (id)
) with (fillfactor = 70);
create index bank_accounts_of_courier on bank_accounts (courier_id, made_at desc, id desc);

create table payouts (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    courier_id uuid generated always as ((state ->> 'courier_id')::uuid) stored not null,
    status text generated always as (state ->> 'status') stored not null,
    made_at timestamptz
        generated always as (instant((state ->> 'made_at')::bigint)) stored not null,
    due_at timestamptz generated always as (instant((state ->> 'due_at')::bigint)) stored,
    constraint payouts_pkey primary key (id),
    constraint payouts_version check (version > 0),
    constraint payouts_status check (
        status in ('new', 'reserved', 'unknown', 'sent', 'paid', 'failed', 'returned', 'refused')
    ),
    constraint payouts_due_while_open check (
        due_at is not null or status not in ('new', 'reserved', 'unknown', 'sent')
    )
) with (fillfactor = 70);
create index payouts_of_courier on payouts (courier_id, made_at desc, id desc);
create index payouts_due on payouts (due_at, id) where due_at is not null;
-- What he owes is kept back while the next payout is made; of two at once it would be kept twice.
create unique index payouts_one_at_a_time on payouts (courier_id)
    where status in ('new', 'reserved', 'unknown');

create table disputes (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    status text generated always as (state ->> 'status') stored not null,
    opened_at timestamptz
        generated always as (instant((state ->> 'opened_at')::bigint)) stored not null,
    due_at timestamptz generated always as (instant((state ->> 'due_at')::bigint)) stored,
    constraint disputes_pkey primary key (id),
    constraint disputes_version check (version > 0),
    constraint disputes_status check (status in ('open', 'released', 'upheld'))
) with (fillfactor = 70);
create index disputes_by_status on disputes (status, opened_at desc, id desc);
create index disputes_due on disputes (due_at, id) where due_at is not null;


-- migrate: rollback

drop table bank_accounts, payouts, disputes;
