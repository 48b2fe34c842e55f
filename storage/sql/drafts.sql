-- name: lock_drafts!
select pg_advisory_xact_lock(hashtextextended('drafts ' || :customer_id::text, 0));

-- name: begin_draft!
insert into drafts (state)
select :state
where (select count(*) from drafts where customer_id = :customer_id) < :drafts_max;

-- name: save_draft!
update drafts set state = :state
where id = (:state::jsonb ->> 'id')::uuid
and version = (:state::jsonb ->> 'version')::integer - 1;

-- name: find_draft
select state from drafts where id = :draft_id;

-- name: list_drafts
select state from drafts
where customer_id = :customer_id
order by changed_at desc, id
limit :limit;

-- name: forget_draft!
delete from drafts where id = :draft_id;
