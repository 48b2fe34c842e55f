-- Personal data is sealed: phones are found by a blind index; a profile for each role
-- depends: 0011_sessions

-- migrate: apply

-- A code lives for minutes and is asked for again.
delete from challenges;
alter table challenges
    drop constraint challenges_phone_e164,
    add constraint challenges_phone_index check (phone ~ '^[0-9a-f]{64}$');

-- Who registered before this is sealed when the service starts.
alter table users
    drop constraint users_phone_e164,
    drop constraint users_phone,
    drop column phone,
    add column phone_index text collate "C"
        generated always as (state ->> 'phone_index') stored,
    add column key_id text collate "C"
        generated always as (coalesce(state ->> 'key_id', '')) stored not null,
    add constraint users_phone_index unique (phone_index);
create index users_key on users (key_id);


create table profiles (
    state jsonb not null,
    user_id uuid generated always as ((state ->> 'user_id')::uuid) stored,
    role text collate "C" generated always as (state ->> 'role') stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    key_id text collate "C" generated always as (state ->> 'key_id') stored not null,
    constraint profiles_pkey primary key (user_id, role),
    constraint profiles_version check (version > 0)
) with (fillfactor = 70);
create index profiles_key on profiles (key_id);


-- migrate: rollback

drop table profiles;
-- Sealed phones cannot be read here, so who they belong to is lost.
delete from users where key_id <> '';
alter table users
    drop constraint users_phone_index,
    drop column phone_index,
    drop column key_id,
    add column phone text collate "C" generated always as (state ->> 'phone') stored not null,
    add constraint users_phone unique (phone),
    add constraint users_phone_e164 check (phone ~ '^\+[1-9][0-9]{6,14}$');
delete from challenges;
alter table challenges
    drop constraint challenges_phone_index,
    add constraint challenges_phone_e164 check (phone ~ '^\+[1-9][0-9]{6,14}$');
