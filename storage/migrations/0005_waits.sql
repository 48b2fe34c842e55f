-- Why orders wait, each time that this changed
-- depends: 0004_outcomes

-- migrate: apply

-- Beside the history, for nothing follows from it; the newest few of each order are kept.
create table waits (
    state jsonb not null,
    order_id uuid generated always as ((state ->> 'order_id')::uuid) stored,
    at timestamptz generated always as (instant((state ->> 'at')::bigint)) stored,
    constraint waits_pkey primary key (order_id, at)
);

create index waits_by_time on waits using brin (at);


-- migrate: rollback

drop table waits;
