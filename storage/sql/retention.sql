-- name: find_mark
select until from retention_marks where name = :name;

-- name: save_mark!
insert into retention_marks (name, until) values (:name, :until)
on conflict (name) do update set until = excluded.until;

-- name: remove_old_answers!
delete from answers where ctid = any(array(
    select ctid from answers where at < instant(:before) limit :limit
));

-- name: remove_old_outbox!
-- What has not happened yet stays, however old it is.
delete from outbox where ctid = any(array(
    select ctid from outbox where made_at < instant(:before) and done_at is not null limit :limit
));

-- name: remove_old_challenges!
delete from challenges where ctid = any(array(
    select ctid from challenges where (state ->> 'expires_at')::bigint < :before::bigint limit :limit
));

-- name: remove_old_trail!
delete from trail where ctid = any(array(
    select ctid from trail where at < instant(:before) limit :limit
));

-- name: remove_old_sessions!
delete from sessions where ctid = any(array(
    select ctid from sessions where expires_at < instant(:before) limit :limit
));

-- name: remove_old_waits!
delete from waits where ctid = any(array(
    select ctid from waits where at < instant(:before) limit :limit
));

-- name: remove_old_quotes!
delete from quotes where ctid = any(array(
    select ctid from quotes where valid_until < instant(:before) limit :limit
));

-- name: remove_old_drafts!
delete from drafts where ctid = any(array(
    select ctid from drafts where changed_at < instant(:before) limit :limit
));

-- name: remove_old_what_ifs!
delete from what_ifs where ctid = any(array(
    select ctid from what_ifs where asked_at < instant(:before) limit :limit
));

-- name: remove_old_chat_messages!
delete from chat_messages where ctid = any(array(
    select ctid from chat_messages where at < instant(:before) limit :limit
));

-- name: remove_expired_kept_answers!
delete from kept_answers where ctid = any(array(
    select ctid from kept_answers where expires_at < instant(:before) limit :limit
));

-- name: remove_expired_exports!
delete from exports where ctid = any(array(
    select ctid from exports where expires_at < instant(:before) limit :limit
));

-- name: remove_expired_sheets!
-- Their files go with them.
delete from sheets where ctid = any(array(
    select ctid from sheets where expires_at < instant(:before) limit :limit
));

-- name: remove_expired_links!
-- What can no longer be used is kept for a month, for whoever asks what became of it.
delete from links where ctid = any(array(
    select ctid from links where expires_at < instant(:before) - interval '30 days' limit :limit
));

-- name: remove_expired_code_tallies!
delete from code_tallies where ctid = any(array(
    select ctid from code_tallies where expires_at < instant(:before) limit :limit
));

-- name: aged_orders
-- A part of those that ended in this time, the oldest first, zone by zone as their index has them.
select found.id::text as id, millis(found.ended_at) as at
from zones cross join lateral (
    select id, ended_at from orders
    where zone_id = zones.id and ended_at <= instant(:before)
        and (ended_at, id) > (instant(:at), :after::uuid)
    order by ended_at, id limit :limit
) as found
order by found.ended_at, found.id limit :limit;

-- name: aged_gift_links
select id::text as id, millis(made_at) as at from gift_links
where due_at is null and made_at <= instant(:before) and made_at >= instant(:at)
    and (made_at, id) > (instant(:at), :after::uuid)
order by made_at, id limit :limit;

-- name: aged_audit_records
select number from audit_log where number > :after and at < instant(:before)
order by number limit :limit;

-- name: forget_circumstances!
update audit_log set salt = null, circumstances = null
where number = any(:numbers::bigint[]) and circumstances is not null;

-- name: remove_old_refused_tries!
-- Of more than a million the oldest go before their time, but none of today.
delete from refused_tries where ctid = any(array(
    select ctid from refused_tries
    where last_at < instant(:before)
        or last_at < least(
            now() - interval '1 day',
            (select last_at from refused_tries order by last_at desc, id desc offset 1000000 limit 1)
        )
    limit :limit
));
