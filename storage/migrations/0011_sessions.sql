-- Who is logged in where, and how many log-in codes were sent unproven
-- depends: 0008_revision

-- migrate: apply

create table sessions (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    user_id uuid generated always as ((state ->> 'user_id')::uuid) stored not null,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    seen_at timestamptz
        generated always as (instant((state ->> 'seen_at')::bigint)) stored not null,
    expires_at timestamptz
        generated always as (instant((state ->> 'expires_at')::bigint)) stored not null,
    ended_at timestamptz generated always as (instant((state ->> 'ended_at')::bigint)) stored,
    constraint sessions_pkey primary key (id),
    constraint sessions_version check (version > 0)
) with (fillfactor = 70);

create index sessions_open on sessions (user_id, seen_at desc) where ended_at is null;
-- Every process asks twice a second which sessions have ended.
create index sessions_ended on sessions (ended_at) where ended_at is not null;


-- Counted in fixed windows: the window is part of the key.
create table code_tallies (
    key text collate "C" not null,
    spent integer not null,
    spent_max integer not null,
    expires_at timestamptz not null,
    constraint code_tallies_pkey primary key (key),
    constraint code_tallies_spent check (spent between 0 and spent_max)
) with (fillfactor = 50);

create index code_tallies_expiry on code_tallies (expires_at);


-- A code is for one purpose, and a phone may be asked for several.
alter table challenges
    add column purpose text collate "C" generated always as
        (coalesce(state ->> 'purpose', 'log_in')) stored not null,
    drop constraint challenges_pkey,
    add constraint challenges_pkey primary key (phone, purpose);


-- migrate: rollback

delete from challenges where purpose <> 'log_in';
alter table challenges
    drop constraint challenges_pkey,
    add constraint challenges_pkey primary key (phone),
    drop column purpose;
drop table code_tallies, sessions;
