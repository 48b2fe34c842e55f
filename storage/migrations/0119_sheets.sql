-- Lists that are written into files
-- depends: 0116_ledger_legs_in_step

-- migrate: apply

create table sheets (
    state jsonb not null,
    id uuid generated always as ((state ->> 'id')::uuid) stored,
    version integer generated always as ((state ->> 'version')::integer) stored not null,
    user_id uuid generated always as ((state -> 'asked' -> 'by' ->> 'user_id')::uuid) stored not null,
    status text generated always as (state ->> 'status') stored not null,
    asked_at timestamptz
        generated always as (instant((state -> 'asked' ->> 'at')::bigint)) stored not null,
    due_at timestamptz generated always as (instant((state ->> 'due_at')::bigint)) stored,
    expires_at timestamptz generated always as (instant((state ->> 'expires_at')::bigint)) stored,
    constraint sheets_pkey primary key (id),
    constraint sheets_version check (version > 0),
    constraint sheets_status check (
        status in ('queued', 'running', 'done', 'failed', 'cancelled')
    ),
    constraint sheets_due check ((due_at is not null) = (status in ('queued', 'running'))),
    constraint sheets_expiry check ((expires_at is not null) = (due_at is null))
) with (fillfactor = 50);

create index sheets_of_user on sheets (user_id, asked_at desc, id desc);
create index sheets_due_first on sheets (due_at) where due_at is not null;
create index sheets_expired on sheets (expires_at) where expires_at is not null;

create trigger next_version before update on sheets for each row
when ((new.state ->> 'version')::integer <> old.version + 1)
execute function refuse();

create table sheet_files (
    sheet_id uuid not null,
    csv_gz bytea not null,
    constraint sheet_files_pkey primary key (sheet_id),
    constraint sheet_files_sheet foreign key (sheet_id) references sheets on delete cascade
);
alter table sheet_files alter column csv_gz set storage external;


-- migrate: rollback

drop table sheet_files;
drop table sheets;
