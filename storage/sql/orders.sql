-- name: load_orders
select state from orders
where zone_id in (select id from zones where cell = :cell) and ended_at is null
order by id;

-- name: find_orders
select id::text as id, state from orders where id = any(:ids::uuid[]);

-- name: cells_of_orders
select orders.id::text as id, zones.cell from orders
join zones on zones.id = orders.zone_id
where orders.id = any(:ids::uuid[]);

-- name: open_orders_of
-- Of the newest hundred orders of each customer those that are open, the newest first.
select asked.id::text as id, found.state
from unnest(:ids::uuid[]) as asked (id)
cross join lateral (
    select
        jsonb_agg(
            jsonb_build_object(
                'order_id', newest.id,
                'code', newest.state -> 'code',
                'placed_at', newest.state -> 'placed_at'
            )
            order by newest.placed_at desc, newest.id desc
        ) as state
    from (
        select id, placed_at, ended_at, state from orders
        where customer_id = asked.id
        order by placed_at desc, id desc
        limit 100
    ) as newest
    where newest.ended_at is null
) as found
where found.state is not null;

-- name: list_orders
select state from orders where customer_id = :customer_id;

-- name: save_quote!
-- Saving the same quote twice is one quote; another one under its id is refused.
insert into quotes (state) values (:state)
on conflict (id) do update set state = excluded.state
where quotes.state = excluded.state;

-- name: find_quotes
select id::text as id, state from quotes where id = any(:ids::uuid[]);
