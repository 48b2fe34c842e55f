-- name: load_orders
select state from orders
where zone_id in (select id from zones where cell = :cell) and ended_at is null
order by id;

-- name: find_orders
select id::text as id, state from orders where id = any(:ids::uuid[]);

-- name: cell_of_order
select zones.cell from orders
join zones on zones.id = orders.zone_id
where orders.id = :order_id;

-- name: list_orders_down
select state from orders
where customer_id = :customer_id and (placed_at, id) < (instant(:at), :order_id::uuid)
    and placed_at >= instant(:since) and placed_at < instant(:until)
    and (:statuses::text[] is null or status = any(:statuses))
order by placed_at desc, id desc
limit :limit;

-- name: list_orders_up
select state from orders
where customer_id = :customer_id and (placed_at, id) > (instant(:at), :order_id::uuid)
    and placed_at >= instant(:since) and placed_at < instant(:until)
    and (:statuses::text[] is null or status = any(:statuses))
order by placed_at asc, id asc
limit :limit;

-- name: save_quote!
-- Saving the same quote twice is one quote; another one under its id is refused.
insert into quotes (state) values (:state)
on conflict (id) do update set state = excluded.state
where quotes.state = excluded.state;

-- name: find_quotes
select id::text as id, state from quotes where id = any(:ids::uuid[]);
