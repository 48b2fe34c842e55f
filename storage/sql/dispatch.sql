-- name: load_offers
select state from offers where cell = :cell and answered_at is null order by id;

-- name: list_offers_for
select offers.state
from assignments
join offers on offers.id = assignments.offer_id
where assignments.order_id = :order_id
order by offers.made_at, offers.id;
