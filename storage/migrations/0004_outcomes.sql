-- How the orders and offers of a zone went, by time
-- depends: 0003_identity

-- migrate: apply

create index orders_ended_in_zone on orders (zone_id, ended_at) where ended_at is not null;
create index offers_answered_in_zone on offers (zone_id, answered_at) where answered_at is not null;


-- migrate: rollback

drop index offers_answered_in_zone, orders_ended_in_zone;
