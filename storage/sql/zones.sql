-- name: free_cells!
-- What zones no longer cover; their cells as they are now come as pairs.
delete from zone_cells
where zone_id = any(:zones::uuid[]) and not exists (
    select from unnest(:owners::uuid[], :cells::text[]) as owned (zone_id, cell)
    where owned.cell = zone_cells.cell and owned.zone_id = zone_cells.zone_id
);

-- name: take_cells!
insert into zone_cells (cell, zone_id)
select cell, zone_id from unnest(:owners::uuid[], :cells::text[]) as owned (zone_id, cell)
where not exists (
    select from zone_cells
    where zone_cells.cell = owned.cell and zone_cells.zone_id = owned.zone_id
);

-- name: save_parameter_sets!
insert into zone_parameters (zone_id, state)
select zone_id, state from unnest(:zones::uuid[], :states::jsonb[]) as new (zone_id, state);

-- name: list_parameter_sets
select state from zone_parameters where zone_id = :zone_id order by version desc;

-- name: load_zones
select state from zones where cell = :cell order by id;

-- name: list_cells
select distinct cell from zones order by cell;

-- name: find_zone
select state from zones where id = :zone_id;

-- name: list_zones
select state from zones order by name_en, id;

-- name: cell_of_zone
select cell from zones where id = :zone_id;

-- name: zone_covering
select zone_cells.zone_id::text
from unnest(:cells::text[]) with ordinality as asked (cell, place)
join zone_cells on zone_cells.cell = asked.cell
order by asked.place
limit 1;
