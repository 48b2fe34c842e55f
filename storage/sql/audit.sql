-- name: save_audit!
insert into audit_log (entry, circumstances)
select entry, circumstances
from unnest(:entries::text[], :circumstances::text[])
    with ordinality as new (entry, circumstances, place)
order by place;

-- name: list_audit
select number, entry, salt, circumstances, digest, hash from audit_log where true;

-- name: audit_page
select number, entry, salt, circumstances, digest, hash from audit_log
where number > :after
order by number
limit :limit;

-- name: audit_head
select number, hash from audit_head;
