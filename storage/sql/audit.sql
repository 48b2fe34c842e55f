-- name: save_audit!
insert into audit_log (entry, circumstances)
select entry, circumstances
from unnest(:entries::text[], :circumstances::text[])
    with ordinality as new (entry, circumstances, place)
order by place;

-- name: list_audit_down
-- Of a subject, or of an actor, or all: of the three only one has rows.
select number, entry, salt, circumstances, digest, hash from (
    (
        select * from audit_log
        where :subject::text is null and :actor::uuid is null and number < :number
        order by number desc limit :limit
    )
    union all
    (
        select * from audit_log
        where subject = :subject and (:actor::uuid is null or actor = :actor) and number < :number
        order by number desc limit :limit
    )
    union all
    (
        select * from audit_log
        where :subject::text is null and actor = :actor and number < :number
        order by number desc limit :limit
    )
) as found
order by number desc;

-- name: list_audit_up
select number, entry, salt, circumstances, digest, hash from (
    (
        select * from audit_log
        where :subject::text is null and :actor::uuid is null and number > :number
        order by number limit :limit
    )
    union all
    (
        select * from audit_log
        where subject = :subject and (:actor::uuid is null or actor = :actor) and number > :number
        order by number limit :limit
    )
    union all
    (
        select * from audit_log
        where :subject::text is null and actor = :actor and number > :number
        order by number limit :limit
    )
) as found
order by number;

-- name: audit_page
select number, entry, salt, circumstances, digest, hash from audit_log
where number > :after
order by number
limit :limit;

-- name: audit_head
select number, hash from audit_head;
