-- name: save_upload!
insert into uploads (state) values (:state) on conflict (id) do nothing;

-- name: find_upload
select state from uploads where id = :upload_id;

-- name: list_uploads_of_order
select state from uploads where order_id = :order_id order by made_at, id;

-- name: count_uploads_of
select count(*) from uploads where owner_id = :owner_id and made_at >= instant(:since);
