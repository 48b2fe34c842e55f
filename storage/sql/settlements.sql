-- name: save_settlement_run!
insert into settlement_runs (state) values (:state)
on conflict (id) do nothing;

-- name: find_settlement_run
select state from settlement_runs where id = :run_id;

-- name: list_settlement_runs
select state from settlement_runs where true;

-- name: save_settlement_break!
-- Only after the version before; of two at once, one changes nothing.
insert into settlement_breaks (state) values (:state)
on conflict (id) do update set state = excluded.state
where settlement_breaks.version = excluded.version - 1;

-- name: find_settlement_breaks
select state from settlement_breaks where id = any(:break_ids::uuid[]);

-- name: list_settlement_breaks
select state from settlement_breaks where true;

-- name: list_undecided_breaks
select state from settlement_breaks
where gateway = :gateway and status in ('open', 'waits_for_approval')
order by id
limit :limit;

-- name: list_due_breaks
select state from settlement_breaks where due_at <= instant(:now) order by due_at, id limit :limit;

-- name: save_settlement_feed!
-- Only after the version before; of two at once, one changes nothing.
insert into settlement_feeds (state) values (:state)
on conflict (gateway) do update set state = excluded.state
where settlement_feeds.version = excluded.version - 1;

-- name: list_settlement_feeds
select state from settlement_feeds order by gateway;

-- name: has_settlement_feeds
select to_regclass('settlement_feeds') is not null as is_there;
