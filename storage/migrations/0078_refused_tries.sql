-- What was refused to whoever tried to get in, or at what he may not have
-- depends: 0051_owner

-- migrate: apply

-- Whom and whence are keyed hashes, but for the ids of who is known.
create table refused_tries (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    kind text collate "C" generated always as (state ->> 'kind') stored not null,
    code text collate "C" generated always as (state ->> 'code') stored not null,
    subject text collate "C" generated always as (state ->> 'subject') stored not null,
    place text collate "C" generated always as (state ->> 'place') stored not null,
    last_at timestamptz
        generated always as (instant((state ->> 'last_at')::bigint)) stored not null,
    constraint refused_tries_pkey primary key (id)
);
create index refused_tries_newest on refused_tries (last_at, id);
create index refused_tries_of_subject on refused_tries (subject, last_at, id);
create index refused_tries_of_place on refused_tries (place, last_at, id);

-- Rows go by their age alone: what was refused today cannot be made unsaid.
create function refused_tries_stay() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.last_at < now() - interval '1 day' then
        return old;
    end if;
    raise exception 'what was refused is only ever added to'
        using errcode = 'integrity_constraint_violation';
end $$;
create trigger stays before update or delete on refused_tries
    for each row execute function refused_tries_stay();
create trigger stays_whole before truncate on refused_tries
    for each statement execute function refused_tries_stay();


-- migrate: rollback

drop table refused_tries;
drop function refused_tries_stay;
