-- A phone can be changed, and the phone before it has a day to object
-- depends: 0012_people

-- migrate: apply

alter table users
    add column version integer generated always as
        (coalesce((state ->> 'version')::integer, 1)) stored not null,
    add column previous_index text collate "C"
        generated always as (state ->> 'previous_index') stored;
create index users_previous on users (previous_index) where previous_index is not null;


-- migrate: rollback

alter table users
    drop column version,
    drop column previous_index;
