-- People by their phones, and the last log-in code of each phone
-- depends: 0002_history

-- migrate: apply

create table users (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    phone text collate "C" generated always as (state ->> 'phone') stored not null,
    created_at timestamptz
        generated always as (instant((state ->> 'created_at')::bigint)) stored not null,
    constraint users_pkey primary key (id),
    constraint users_phone unique (phone),
    constraint users_phone_e164 check (phone ~ '^\+[1-9][0-9]{6,14}$')
);


-- The code is not here, only its HMAC.
create table challenges (
    state jsonb not null,
    phone text collate "C" generated always as (state ->> 'phone') stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    wrong_tries integer generated always as ((state ->> 'wrong_tries')::integer) stored not null,
    constraint challenges_pkey primary key (phone),
    constraint challenges_version check (version > 0),
    constraint challenges_phone_e164 check (phone ~ '^\+[1-9][0-9]{6,14}$'),
    constraint challenges_wrong_tries check (wrong_tries >= 0)
) with (fillfactor = 50);


-- migrate: rollback

drop table challenges, users;
