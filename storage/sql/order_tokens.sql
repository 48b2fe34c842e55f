-- name: save_order_tokens!
insert into order_tokens (token, placed_at, order_id, is_personal)
select token, instant(placed_at), order_id, is_personal from unnest(
    :tokens::bigint[], :placed_at::bigint[], :orders::uuid[], :are_personal::boolean[]
) as new (token, placed_at, order_id, is_personal)
on conflict on constraint order_tokens_pkey do nothing;

-- name: count_order_tokens
-- How many orders have each of these, counted no further than it matters.
select
    asked.token,
    (
        select count(*) from (
            select from order_tokens as one where one.token = asked.token limit :most
        ) as counted
    ) as orders
from unnest(:tokens::bigint[]) as asked (token);

-- name: search_orders_down
-- The newest orders that have one of the tokens and, of every other need, one of its tokens.
with found as materialized (
    select distinct one.placed_at, one.order_id
    from unnest(:tokens::bigint[]) as asked (token)
    cross join lateral (
        select has.placed_at, has.order_id from order_tokens as has
        where has.token = asked.token
            and (has.placed_at, has.order_id) < (instant(:at), :order_id::uuid)
            and has.placed_at >= instant(:since) and has.placed_at < instant(:until)
            and (
                :others::integer = 0
                or :others::integer = (
                    select count(distinct other.need)
                    from unnest(:other_needs::integer[], :other_tokens::bigint[])
                        as other (need, token)
                    join order_tokens as too on too.token = other.token
                        and too.placed_at = has.placed_at and too.order_id = has.order_id
                )
            )
            and (
                :statuses::text[] is null
                or exists (
                    select from orders where id = has.order_id and status = any(:statuses)
                )
            )
        order by has.placed_at desc, has.order_id desc
        limit :limit
    ) as one
    order by one.placed_at desc, one.order_id desc
    limit :limit
)
select orders.state from found join orders on orders.id = found.order_id
order by found.placed_at desc, found.order_id desc;

-- name: search_orders_up
with found as materialized (
    select distinct one.placed_at, one.order_id
    from unnest(:tokens::bigint[]) as asked (token)
    cross join lateral (
        select has.placed_at, has.order_id from order_tokens as has
        where has.token = asked.token
            and (has.placed_at, has.order_id) > (instant(:at), :order_id::uuid)
            and has.placed_at >= instant(:since) and has.placed_at < instant(:until)
            and (
                :others::integer = 0
                or :others::integer = (
                    select count(distinct other.need)
                    from unnest(:other_needs::integer[], :other_tokens::bigint[])
                        as other (need, token)
                    join order_tokens as too on too.token = other.token
                        and too.placed_at = has.placed_at and too.order_id = has.order_id
                )
            )
            and (
                :statuses::text[] is null
                or exists (
                    select from orders where id = has.order_id and status = any(:statuses)
                )
            )
        order by has.placed_at, has.order_id
        limit :limit
    ) as one
    order by one.placed_at, one.order_id
    limit :limit
)
select orders.state from found join orders on orders.id = found.order_id
order by found.placed_at, found.order_id;

-- name: orders_after
-- Nobody lets go what is personal in them while their tokens are being made.
select state from orders where id > :after::uuid order by id limit :limit for no key update;

-- name: guess_orders
select greatest(reltuples, 0)::bigint from pg_class where oid = 'orders'::regclass;

-- name: find_walk
select after::text from walks where name = :name;

-- name: save_walk!
insert into walks (name, after) values (:name, :after)
on conflict (name) do update set after = excluded.after;
