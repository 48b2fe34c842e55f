-- name: load_offers
select state from offers
where zone_id in (select id from zones where cell = :cell) and answered_at is null
order by id;

-- name: order_outcomes
-- How the orders of a zone went that ended in a time, newest first.
select jsonb_build_object(
    'status', state -> 'status',
    'placed_at', state -> 'placed_at',
    'ready_at', state -> 'ready_at',
    'due_at', state -> 'due_at',
    'release_at', state -> 'release_at',
    'assigned_at', state -> 'assigned_at',
    'ended_at', state -> 'ended_at'
) as outcome
from orders
where zone_id = :zone_id and ended_at > instant(:since) and ended_at <= instant(:until)
order by ended_at desc, id desc
limit :limit;

-- name: offer_outcomes
-- How the offers of a zone went that were answered in a time, newest first.
select jsonb_build_object(
    'status', state -> 'status',
    'answered_at', state -> 'answered_at'
) as outcome
from offers
where zone_id = :zone_id and answered_at > instant(:since) and answered_at <= instant(:until)
order by answered_at desc, id desc
limit :limit;

-- name: save_waits!
insert into waits (state) select state from unnest(:states::jsonb[]) as new (state)
on conflict (order_id, at) do update set state = excluded.state;

-- name: forget_waits!
-- All but the newest of each of these orders.
delete from waits
using (
    select order_id, at, row_number() over (partition by order_id order by at desc) as place
    from waits
    where order_id = any(:orders::uuid[])
) as ranked
where ranked.place > :kept and waits.order_id = ranked.order_id and waits.at = ranked.at;

-- name: list_waits
select state from waits where order_id = :order_id order by at;

-- name: find_offer
select state from offers where id = :offer_id;

-- name: list_offers_for
select offers.state
from assignments
join offers on offers.id = assignments.offer_id
where assignments.order_id = :order_id
order by offers.made_at, offers.id;
