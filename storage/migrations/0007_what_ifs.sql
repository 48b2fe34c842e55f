-- Operators' questions what other parameters would have done
-- depends: 0006_recent_hours

-- migrate: apply

create table what_ifs (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    zone_id uuid generated always as ((state -> 'asked' ->> 'zone_id')::uuid) stored not null,
    status text generated always as (state ->> 'status') stored not null,
    asked_at timestamptz
        generated always as (instant((state -> 'asked' ->> 'at')::bigint)) stored not null,
    constraint what_ifs_pkey primary key (id),
    constraint what_ifs_zone foreign key (zone_id) references zones,
    constraint what_ifs_version check (version > 0),
    constraint what_ifs_status check (
        status in ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')
    )
) with (fillfactor = 50);

create index what_ifs_of_zone on what_ifs (zone_id, asked_at desc, id desc);


-- migrate: rollback

drop table what_ifs;
