-- Operators and admins who log in by e-mail, password and authenticator; links sent by e-mail
-- depends: 0013_phone_changes

-- migrate: apply

-- Everything personal, and every secret, is sealed in `state`.
create table staff (
    state jsonb not null,
    user_id uuid generated always as ((state ->> 'user_id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    email_index text collate "C"
        generated always as (state ->> 'email_index') stored not null,
    key_id text collate "C" generated always as (state ->> 'key_id') stored not null,
    constraint staff_pkey primary key (user_id),
    constraint staff_email unique (email_index),
    constraint staff_version check (version > 0)
) with (fillfactor = 70);
create index staff_key on staff (key_id);


create table links (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    purpose text collate "C" generated always as (state ->> 'purpose') stored not null,
    is_settled boolean generated always as ((state ->> 'is_settled')::boolean) stored not null,
    sent_at timestamptz
        generated always as (instant((state ->> 'sent_at')::bigint)) stored not null,
    expires_at timestamptz
        generated always as (instant((state ->> 'expires_at')::bigint)) stored not null,
    constraint links_pkey primary key (id),
    constraint links_version check (version > 0)
) with (fillfactor = 70);
create index links_open on links (purpose, sent_at desc) where not is_settled;
create index links_expiry on links (expires_at);


-- migrate: rollback

drop table links, staff;
