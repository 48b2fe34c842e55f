-- name: lock_sheets!
select pg_advisory_xact_lock(hashtextextended('sheets ' || :user_id::text, 0));

-- name: begin_sheet!
insert into sheets (state)
select :state::jsonb
where (select count(*) from sheets where user_id = :user_id and due_at is not null) < :open_max
on conflict (id) do nothing;

-- name: save_sheet!
-- Only after the version before; of two at once, one changes nothing.
update sheets set state = :state
where id = (:state::jsonb ->> 'id')::uuid
and version = (:state::jsonb ->> 'version')::integer - 1;

-- name: save_sheet_file!
insert into sheet_files (sheet_id, csv_gz) values (:sheet_id, :csv_gz);

-- name: find_sheet
select state from sheets where id = :sheet_id;

-- name: find_sheet_file
select csv_gz from sheet_files where sheet_id = :sheet_id;

-- name: list_sheets
select state from sheets where user_id = :user_id;

-- name: list_due_sheets
select state from sheets where due_at <= instant(:now) order by due_at limit :limit;
