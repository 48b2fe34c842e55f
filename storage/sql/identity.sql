-- name: find_challenge
select state from challenges where phone = :phone and purpose = :purpose;

-- name: save_challenge!
-- Only after the version before; of two at once, one changes nothing.
insert into challenges (state) values (:state)
on conflict (phone, purpose) do update set state = excluded.state
where challenges.version = excluded.version - 1;

-- name: register_user
-- The user who had the phone before stays who he is, and is returned.
insert into users (state) values (:state)
on conflict (phone_index) do update set state = users.state
returning state;

-- name: find_users
select id::text as id, state from users where id = any(:ids::uuid[]);

-- name: spend_tallies
-- A tally that is spent is not returned; they are locked in one order, so that nobody waits in a circle.
insert into code_tallies (key, spent, spent_max, expires_at)
select key, 1, spent_max, instant(expires_at)
from unnest(:keys::text[], :maxima::integer[], :expiries::bigint[])
    as charge (key, spent_max, expires_at)
where spent_max > 0
order by key
on conflict (key) do update set spent = code_tallies.spent + 1, spent_max = excluded.spent_max
where code_tallies.spent < excluded.spent_max
returning key;

-- name: give_back_tallies!
update code_tallies set spent = spent - 1
where key in (select key from code_tallies where key = any(:keys) order by key for update)
    and spent > 0;

-- name: forget_tallies!
delete from code_tallies
where key in (
    select key from code_tallies where expires_at <= instant(:now)
    order by expires_at limit 20 for update skip locked
);

-- name: find_profile
select state from profiles where user_id = :user_id and role = :role;

-- name: save_profile!
-- Only after the version before; of two at once, one changes nothing.
insert into profiles (state) values (:state)
on conflict (user_id, role) do update set state = excluded.state
where profiles.version = excluded.version - 1;

-- name: users_under_other_keys
select state from users
where key_id < :key_id or key_id > :key_id
limit :limit for update skip locked;

-- name: reseal_user!
update users set state = :state where id = :user_id;

-- name: profiles_under_other_keys
select state from profiles
where key_id < :key_id or key_id > :key_id
limit :limit for update skip locked;

-- name: reseal_profile!
update profiles set state = :state where user_id = :user_id and role = :role;

-- name: change_user!
-- Only after the version before, and only to a phone that nobody has.
update users set state = :state
where id = :user_id and version = :version - 1
    and not exists (
        select from users as other
        where other.phone_index = :phone_index and other.id <> :user_id
    );

-- name: find_user_by_previous_phone
select state from users where previous_index = :previous_index
order by (state ->> 'moved_at')::bigint desc
limit 1;
