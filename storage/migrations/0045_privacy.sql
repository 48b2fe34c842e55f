-- What people ask about themselves, what they agreed to; and what is kept can be redacted
-- depends: 0020_audit_log 0028_gift_links

-- migrate: apply

-- `due_at` is when it may be taken: a while after it was asked, later while something stands in the
-- way or somebody works on it.
create table privacy_requests (
    state jsonb not null,
    due_at timestamptz,
    id uuid generated always as ((state -> 'request' ->> 'id')::uuid) stored,
    version integer
        generated always as ((state -> 'request' ->> 'version')::integer) stored not null,
    user_id uuid generated always as ((state -> 'request' ->> 'user_id')::uuid) stored not null,
    kind text collate "C" generated always as (state -> 'request' ->> 'kind') stored not null,
    status text collate "C" generated always as (state -> 'request' ->> 'status') stored not null,
    asked_at timestamptz
        generated always as (instant((state -> 'request' ->> 'asked_at')::bigint)) stored not null,
    constraint privacy_requests_pkey primary key (id),
    constraint privacy_requests_version check (version > 0),
    constraint privacy_requests_kind check (kind in ('export', 'erasure')),
    constraint privacy_requests_status check (status in ('open', 'done', 'withdrawn')),
    constraint privacy_requests_due_while_open check ((due_at is not null) = (status = 'open'))
);
create unique index privacy_requests_open on privacy_requests (user_id, kind)
where status = 'open';
create index privacy_requests_of_user on privacy_requests (user_id, asked_at desc);
create index privacy_requests_due on privacy_requests (due_at) where due_at is not null;
create index privacy_requests_to_do on privacy_requests (asked_at, id) where status = 'open';

-- What an export came to, sealed; it goes when nobody may fetch it any more.
create table exports (
    request_id uuid not null,
    user_id uuid not null,
    expires_at timestamptz not null,
    key_id text collate "C" not null,
    sealed text collate "C" not null,
    constraint exports_pkey primary key (request_id),
    constraint exports_request foreign key (request_id) references privacy_requests
);
create index exports_of_user on exports (user_id);
create index exports_expiry on exports (expires_at);

create table consents (
    state jsonb not null,
    user_id uuid generated always as ((state ->> 'user_id')::uuid) stored,
    purpose text collate "C" generated always as (state ->> 'purpose') stored,
    given_at timestamptz generated always as (instant((state ->> 'given_at')::bigint)) stored,
    ended_at timestamptz generated always as (instant((state ->> 'ended_at')::bigint)) stored,
    constraint consents_pkey primary key (user_id, purpose, given_at)
);
create unique index consents_open on consents (user_id, purpose) where ended_at is null;

-- How far the removal of what has grown old has come, where the rows themselves stay.
create table retention_marks (
    name text collate "C" not null,
    until bigint not null,
    constraint retention_marks_pkey primary key (name)
);


-- Who redacts says so for his transaction; then what is personal in a row may be changed although
-- the row is closed, and nothing else of it.
create function redacts() returns boolean
language sql stable parallel safe
return coalesce(current_setting('hadiyati.redacts', true), '') = 'yes';

create function only_redacts(before jsonb, after jsonb, personal text[]) returns boolean
language sql stable parallel safe
return redacts() and before - personal = after - personal;

-- About a kilometre: enough to say in which district, too little to say at which door.
create function coarse(point jsonb) returns jsonb
language sql immutable strict parallel safe
return case when jsonb_typeof(point) = 'object' then jsonb_build_object(
    'lat', round((point ->> 'lat')::numeric, 2), 'lng', round((point ->> 'lng')::numeric, 2)
) end;

create or replace trigger next_version before update on couriers for each row
when (
    (new.state ->> 'version')::integer <> old.version + 1
    and not only_redacts(old.state, new.state, array['name', 'last_point'])
) execute function refuse();

create or replace trigger next_version before update on orders for each row
when (
    (new.state ->> 'version')::integer <> old.version + 1
    and not only_redacts(old.state, new.state, array['gift', 'recipient', 'door', 'pin', 'handover'])
) execute function refuse();
create or replace trigger closed before update on orders for each row
when (
    old.ended_at is not null
    and not only_redacts(old.state, new.state, array['gift', 'recipient', 'door', 'pin', 'handover'])
) execute function refuse();

create or replace trigger next_version before update on offers for each row
when (
    (new.state ->> 'version')::integer <> old.version + 1
    and not only_redacts(old.state, new.state, array['stops', 'decline_reason'])
) execute function refuse();
create or replace trigger closed before update on offers for each row
when (
    old.answered_at is not null
    and not only_redacts(old.state, new.state, array['stops', 'decline_reason'])
) execute function refuse();

create or replace function keep_history() returns trigger language plpgsql as $$
begin
    if tg_level = 'STATEMENT' and tg_op = 'UPDATE' and redacts() then
        return null;
    end if;
    raise check_violation using
        message = 'what has happened cannot be changed', constraint = 'events_kept',
        table = tg_table_name;
end $$;
create trigger kept_but_for_data before update on events for each row
when (
    not redacts()
    or (new.thing_kind, new.thing_id, new.version, new.position, new.type, new.at, new.command_id)
        is distinct from
        (old.thing_kind, old.thing_id, old.version, old.position, old.type, old.at, old.command_id)
) execute function keep_history();


-- migrate: rollback

create or replace trigger next_version before update on couriers for each row
when ((new.state ->> 'version')::integer <> old.version + 1) execute function refuse();
create or replace trigger next_version before update on orders for each row
when ((new.state ->> 'version')::integer <> old.version + 1) execute function refuse();
create or replace trigger closed before update on orders for each row
when (old.ended_at is not null) execute function refuse();
create or replace trigger next_version before update on offers for each row
when ((new.state ->> 'version')::integer <> old.version + 1) execute function refuse();
create or replace trigger closed before update on offers for each row
when (old.answered_at is not null) execute function refuse();
drop trigger kept_but_for_data on events;
create or replace function keep_history() returns trigger language plpgsql as $$
begin
    raise check_violation using
        message = 'what has happened cannot be changed', constraint = 'events_kept',
        table = tg_table_name;
end $$;
drop function only_redacts, coarse, redacts;
drop table retention_marks, consents, exports, privacy_requests;
