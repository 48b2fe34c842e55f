-- name: save_order_tokens!
insert into order_tokens (token, placed_at, order_id, is_personal)
select
    token,
    instant((:placed_at::bigint[])[place]),
    (:found_orders::uuid[])[place],
    is_personal
from unnest(:tokens::bigint[], :token_places::integer[], :are_personal::boolean[])
    as new (token, place, is_personal)
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

-- name: search_orders
-- Orders that have one of the tokens, and what those are that have of every other need one, too. Who
-- asks for no status and no zone does not read `orders` for it, since PostgreSQL leaves out a join
-- that nobody needs. One that has two of the tokens comes twice: whoever asks leaves one out.
select
    case when :others::integer = 0 or :others::integer = (
        select count(distinct other.need)
        from unnest(:other_needs::integer[], :other_tokens::bigint[]) as other (need, token)
        join order_tokens as too on too.token = other.token
            and too.placed_at = found.placed_at and too.order_id = found.id
    ) then (select state from orders where orders.id = found.id) end as state,
    millis(found.placed_at) as at, found.id
from (
    select one.placed_at, one.id
    from unnest(:tokens::bigint[]) as asked (token)
    cross join lateral (
        select has.placed_at, has.id
        from (
            select one.token, one.placed_at, one.order_id as id, orders.status, orders.zone_id
            from order_tokens as one left join orders on orders.id = one.order_id
        ) as has
        where has.token = asked.token
        limit all
    ) as one
) as found
limit all;

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
