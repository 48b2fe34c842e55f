-- What is known of the files that people sent
-- depends: 0028_gift_links

-- migrate: apply

create table uploads (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    owner_id uuid generated always as ((state ->> 'owner_id')::uuid) stored not null,
    order_id uuid generated always as ((state ->> 'order_id')::uuid) stored,
    made_at timestamptz
        generated always as (instant((state ->> 'made_at')::bigint)) stored not null,
    constraint uploads_pkey primary key (id),
    constraint uploads_about_an_order check (
        order_id is not null or state ->> 'purpose' not in ('proof_photo', 'signature')
    )
);

create index uploads_of_owner on uploads (owner_id, made_at);
create index uploads_of_order on uploads (order_id, made_at, id) where order_id is not null;


-- migrate: rollback

drop table uploads;
