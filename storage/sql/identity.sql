-- name: find_challenge
select state from challenges where phone = :phone;

-- name: save_challenge!
-- Only after the version before; of two at once, one changes nothing.
insert into challenges (state) values (:state)
on conflict (phone) do update set state = excluded.state
where challenges.version = excluded.version - 1;

-- name: register_user
-- The user who had the phone before stays who he is, and is returned.
insert into users (state) values (:state)
on conflict (phone) do update set state = users.state
returning state;

-- name: find_user
select state from users where id = :user_id;
