-- name: find_session
select state from sessions where id = :session_id;

-- name: save_session!
-- Only after the version before; of two at once, one changes nothing.
insert into sessions (state) values (:state)
on conflict (id) do update set state = excluded.state
where sessions.version = excluded.version - 1;

-- name: list_sessions
select state from sessions
where user_id = :user_id and ended_at is null and expires_at > instant(:now)
order by seen_at desc
limit :limit;

-- name: list_ended_sessions
select id::text as id, (state ->> 'ended_at')::bigint as ended_at from sessions
where ended_at is not null and ended_at >= instant(:since);
