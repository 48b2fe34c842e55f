-- Gifts that customers have begun to describe
-- depends: 0031_saved_methods

-- migrate: apply

create table drafts (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    customer_id uuid generated always as ((state ->> 'customer_id')::uuid) stored not null,
    changed_at timestamptz
        generated always as (instant((state ->> 'changed_at')::bigint)) stored not null,
    constraint drafts_pkey primary key (id),
    constraint drafts_version check (version > 0)
);

create index drafts_of_customer on drafts (customer_id, changed_at desc, id);
create index drafts_by_time on drafts using brin (changed_at);

create trigger next_version before update on drafts for each row
when ((new.state ->> 'version')::integer <> old.version + 1)
execute function refuse();


-- migrate: rollback

drop table drafts;
