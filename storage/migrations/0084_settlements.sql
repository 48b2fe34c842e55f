-- Settlement files that were held against the ledger, and what breaks
-- depends: 0078_refused_tries

-- migrate: apply

create table settlement_runs (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    gateway text collate "C" generated always as (state ->> 'gateway') stored not null,
    made_at timestamptz
        generated always as (instant((state ->> 'made_at')::bigint)) stored not null,
    constraint settlement_runs_pkey primary key (id)
);
create index settlement_runs_newest on settlement_runs (made_at, id);

create table settlement_breaks (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    gateway text collate "C" generated always as (state ->> 'gateway') stored not null,
    kind text collate "C" generated always as (state ->> 'kind') stored not null,
    status text collate "C" generated always as (state ->> 'status') stored not null,
    about text collate "C" generated always as (state ->> 'about') stored not null,
    apart_halalas bigint generated always as (
        (state ->> 'file_halalas')::bigint - (state ->> 'ledger_halalas')::bigint
    ) stored not null,
    since_at timestamptz
        generated always as (instant((state ->> 'since_at')::bigint)) stored not null,
    due_at timestamptz generated always as (instant((state ->> 'due_at')::bigint)) stored,
    constraint settlement_breaks_pkey primary key (id),
    constraint settlement_breaks_version check (version > 0),
    constraint settlement_breaks_status check (
        status in ('open', 'waits_for_approval', 'matched', 'resolved', 'written_off')
    )
) with (fillfactor = 70);
create index settlement_breaks_by_age on settlement_breaks (since_at, id);
create index settlement_breaks_about on settlement_breaks (about, since_at, id);
create index settlement_breaks_undecided on settlement_breaks (gateway, id)
    where status in ('open', 'waits_for_approval');
create index settlement_breaks_due on settlement_breaks (due_at, id) where due_at is not null;


-- migrate: rollback

drop table settlement_breaks, settlement_runs;
