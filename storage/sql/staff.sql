-- name: find_staff_account
select state from staff where email_index = :email_index;

-- name: find_staff_account_of
select state from staff where user_id = :user_id;

-- name: save_staff_account!
-- Only after the version before; of two at once, one changes nothing.
insert into staff (state) values (:state)
on conflict (user_id) do update set state = excluded.state
where staff.version = excluded.version - 1;

-- name: find_link
select state from links where id = :link_id;

-- name: list_links
select state from links
where purpose = :purpose and not is_settled and expires_at > instant(:now);

-- name: save_link!
-- Only after the version before; of two at once, one changes nothing.
insert into links (state) values (:state)
on conflict (id) do update set state = excluded.state
where links.version = excluded.version - 1;

-- name: forget_links!
-- What can no longer be used is kept for a month, for whoever asks what became of it.
delete from links
where id in (
    select id from links where expires_at < instant(:now) - interval '30 days'
    order by expires_at limit 20 for update skip locked
);

-- name: promise_effect!
insert into outbox (effect_id, type, effect, made_at, due_at)
select (effect ->> 'id')::uuid, effect ->> 'type', effect, instant(:at), instant(:at)
from (select :effect::jsonb as effect) as new;

-- name: staff_under_other_keys
select state from staff
where key_id < :key_id or key_id > :key_id
limit :limit for update skip locked;

-- name: reseal_staff!
update staff set state = :state where user_id = :user_id;
