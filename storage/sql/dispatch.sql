-- name: add_offers!
insert into offers (cell, state)
select cell, state from unnest(:cells::text[], :states::jsonb[]) as new (cell, state);

-- name: change_offers!
update offers set cell = new.cell, state = new.state
from unnest(:ids::uuid[], :cells::text[], :states::jsonb[]) as new (id, cell, state)
where offers.id = new.id;

-- name: load_offers
select state from offers where cell = :cell and answered_at is null order by id;

-- name: list_offers_for
select offers.state
from assignments
join offers on offers.id = assignments.offer_id
where assignments.order_id = :order_id
order by offers.made_at, offers.id;

-- name: open_assignments!
insert into assignments (offer_id, order_id, courier_id, status)
select offer_id, order_id, courier_id, 'open'
from unnest(:offer_ids::uuid[], :order_ids::uuid[], :courier_ids::uuid[])
    as new (offer_id, order_id, courier_id);

-- name: settle_assignments!
update assignments set status = new.status
from unnest(:order_ids::uuid[], :statuses::text[]) as new (order_id, status)
where assignments.order_id = new.order_id and assignments.status in ('open', 'held');
