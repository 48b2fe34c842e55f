-- name: save_privacy_request!
-- Only after the version before, and one open of each kind; of two at once, one changes nothing.
insert into privacy_requests (state, due_at)
select new.state, instant(new.due_at)
from (select :state::jsonb as state, :due_at::bigint as due_at) as new
where (new.state -> 'request' ->> 'version')::integer > 1 or not exists (
    select from privacy_requests as open
    where open.user_id = (new.state -> 'request' ->> 'user_id')::uuid
        and open.kind = new.state -> 'request' ->> 'kind' and open.status = 'open'
)
on conflict (id) do update set state = excluded.state, due_at = excluded.due_at
where privacy_requests.version = excluded.version - 1;

-- name: find_privacy_request
select state from privacy_requests where id = :request_id;

-- name: find_open_privacy_request
select state from privacy_requests
where user_id = :user_id and kind = :kind and status = 'open';

-- name: list_privacy_requests_of
select state from privacy_requests where user_id = :user_id;

-- name: list_open_privacy_requests
select state from privacy_requests where status = 'open';

-- name: take_due_privacy_request
-- Nobody else takes it until the lease ends.
update privacy_requests set due_at = instant(:lease_until)
where id = (
    select id from privacy_requests where due_at <= instant(:now)
    order by due_at limit 1 for update skip locked
)
returning state;

-- name: save_export!
-- The newest of a person is enough.
with older as (
    delete from exports where user_id = :user_id and request_id <> :request_id
)
insert into exports (request_id, user_id, expires_at, key_id, sealed)
values (:request_id, :user_id, instant(:expires_at), :key_id, :sealed)
on conflict (request_id) do update
set expires_at = excluded.expires_at, key_id = excluded.key_id, sealed = excluded.sealed;

-- name: find_export
select key_id, sealed from exports where request_id = :request_id and expires_at > instant(:now);

-- name: list_exports_of
select request_id::text as request_id, millis(expires_at) as expires_at from exports
where user_id = :user_id and expires_at > instant(:now);

-- name: end_consent!
update consents set state = :state::jsonb
where user_id = (:state::jsonb ->> 'user_id')::uuid and purpose = :state::jsonb ->> 'purpose'
    and ended_at is null;

-- name: give_consent!
insert into consents (state) values (:state) on conflict do nothing;

-- name: find_open_consent
select state from consents
where user_id = :user_id and purpose = :purpose and ended_at is null;

-- name: list_consents
select state from consents where user_id = :user_id;
