-- name: save_gift_link!
-- Only after the version before; of two at once, one changes nothing.
insert into gift_links (state, due_at) values (:state, instant(:due_at))
on conflict (id) do update set state = excluded.state, due_at = excluded.due_at
where gift_links.version = excluded.version - 1;

-- name: find_gift_link
select state from gift_links where id = :gift_link_id;

-- name: list_gift_links_of
select state from gift_links where customer_id = :customer_id;

-- name: list_due_gift_links
select state from gift_links where due_at <= instant(:now) order by due_at, id limit :limit;
