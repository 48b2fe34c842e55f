-- name: save_method!
insert into saved_methods (state) values (:state) on conflict (id) do nothing;

-- name: find_saved_method
select state from saved_methods where id = :method_id;

-- name: list_saved_methods
select state from saved_methods
where customer_id = :customer_id
order by saved_at desc, id
limit :limit;

-- name: forget_saved_method!
delete from saved_methods where id = :method_id;

-- name: forget_oldest_methods!
delete from saved_methods
where id in (
    select id from saved_methods
    where customer_id = :customer_id
    order by saved_at desc, id
    offset :kept
);
