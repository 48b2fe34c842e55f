-- A thing lives in the cell of its zone
-- depends: 0047_summaries
-- transaction: false

-- migrate: apply

-- The column `cell` of couriers, orders and offers says which cell stored them last; which one owns
-- them is said by their zone alone, so that a zone moves by one row.

create index concurrently if not exists couriers_on_duty_in_zone
    on couriers (zone_id) where duty <> 'off';
create index concurrently if not exists orders_open_in_zone
    on orders (zone_id) where ended_at is null;
create index concurrently if not exists offers_open_in_zone
    on offers (zone_id) where answered_at is null;
drop index concurrently if exists couriers_on_duty_in_cell;
drop index concurrently if exists orders_open_in_cell;
drop index concurrently if exists offers_open_in_cell;


-- migrate: rollback

create index concurrently if not exists couriers_on_duty_in_cell
    on couriers (cell) where duty <> 'off';
create index concurrently if not exists orders_open_in_cell
    on orders (cell) where ended_at is null;
create index concurrently if not exists offers_open_in_cell
    on offers (cell) where answered_at is null;
drop index concurrently if exists couriers_on_duty_in_zone;
drop index concurrently if exists orders_open_in_zone;
drop index concurrently if exists offers_open_in_zone;
