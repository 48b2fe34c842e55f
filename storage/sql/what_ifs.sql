-- name: save_what_if!
-- Only after the version before; of two at once, one changes nothing.
insert into what_ifs (state) values (:state)
on conflict (id) do update set state = excluded.state
where what_ifs.version = excluded.version - 1;

-- name: find_what_if
select state from what_ifs where id = :what_if_id;

-- name: list_what_ifs
select state from what_ifs where zone_id = :zone_id;
