-- A thing lives in the cell of its zone
-- depends: 0040_uploads

-- migrate: apply

-- The column `cell` of couriers, orders and offers says which cell stored them last; which one owns
-- them is said by their zone alone, so that a zone moves by one row.

create index couriers_on_duty_in_zone on couriers (zone_id) where duty <> 'off';
create index orders_open_in_zone on orders (zone_id) where ended_at is null;
create index offers_open_in_zone on offers (zone_id) where answered_at is null;

drop index couriers_on_duty_in_cell, orders_open_in_cell, offers_open_in_cell;


-- migrate: rollback

create index couriers_on_duty_in_cell on couriers (cell) where duty <> 'off';
create index orders_open_in_cell on orders (cell) where ended_at is null;
create index offers_open_in_cell on offers (cell) where answered_at is null;

drop index couriers_on_duty_in_zone, orders_open_in_zone, offers_open_in_zone;
