-- How far each gateway's settlements were fetched
-- depends: 0084_settlements

-- migrate: apply

create table settlement_feeds (
    state jsonb not null,
    gateway text collate "C" generated always as (state ->> 'gateway') stored not null,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    fetched_until timestamptz
        generated always as (instant((state ->> 'fetched_until')::bigint)) stored not null,
    constraint settlement_feeds_pkey primary key (gateway),
    constraint settlement_feeds_version check (version > 0)
) with (fillfactor = 70);

-- Nothing is skipped: a feed follows its last version, and never goes back.
create trigger never_back before update on settlement_feeds for each row
when (
    (new.state ->> 'version')::integer <> old.version + 1
    or (new.state ->> 'fetched_until')::bigint < (old.state ->> 'fetched_until')::bigint
)
execute function refuse();


-- migrate: rollback

drop table settlement_feeds;
