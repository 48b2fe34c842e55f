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

-- name: list_orders
select state from orders where customer_id = :customer_id;

-- name: save_quote!
-- Saving the same quote twice is one quote; another one under its id is refused.
insert into quotes (state) values (:state)
on conflict (id) do update set state = excluded.state
where quotes.state = excluded.state;

-- name: find_quotes
select id::text as id, state from quotes where id = any(:ids::uuid[]);
