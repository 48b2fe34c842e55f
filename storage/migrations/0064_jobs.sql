-- The last run of each job that runs by itself
-- depends: 0051_owner

-- migrate: apply

create table jobs (
    name text collate "C" not null,
    version bigint not null,
    state jsonb not null,
    constraint jobs_pkey primary key (name)
);


-- migrate: rollback

drop table jobs;
