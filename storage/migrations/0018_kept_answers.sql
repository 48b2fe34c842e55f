-- What requests with a key were answered that no cell carries out
-- depends: 0013_phone_changes

-- migrate: apply

create table kept_answers (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    expires_at timestamptz
        generated always as (instant((state ->> 'expires_at')::bigint)) stored not null,
    constraint kept_answers_pkey primary key (id)
);

create index kept_answers_expiry on kept_answers (expires_at);


-- migrate: rollback

drop table kept_answers;
