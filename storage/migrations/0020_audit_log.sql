-- The audit log: what is done by those in charge, in one chain that is only ever added to
-- depends: 0013_phone_changes

-- migrate: apply

-- One row. Who records something holds it until he has committed, so that numbers have no gap and
-- hashes have one order.
create table audit_head (
    is_only boolean not null default true,
    number bigint not null,
    hash text collate "C" not null,
    constraint audit_head_pkey primary key (is_only),
    constraint audit_head_is_only check (is_only)
) with (fillfactor = 20);
insert into audit_head (number, hash) values (0, repeat('0', 64));

-- `entry` is JSON kept as the text that was hashed; salt and circumstances may be forgotten.
create table audit_log (
    number bigint not null,
    entry text collate "C" not null,
    salt text collate "C",
    circumstances text collate "C",
    digest text collate "C" not null,
    hash text collate "C" not null,
    at timestamptz
        generated always as (instant((entry::jsonb ->> 'at')::bigint)) stored not null,
    actor uuid generated always as ((entry::jsonb ->> 'actor')::uuid) stored not null,
    subject text collate "C" generated always as (entry::jsonb ->> 'subject') stored not null,
    constraint audit_log_pkey primary key (number),
    constraint audit_log_forgotten check ((salt is null) = (circumstances is null))
);
create index audit_log_of_actor on audit_log (actor, number);
create index audit_log_of_subject on audit_log (subject, number);


create function audit_chains() returns trigger language plpgsql as $$
declare
    head audit_head;
begin
    select * into strict head from audit_head where is_only for update;
    new.number = head.number + 1;
    new.salt = gen_random_uuid()::text;
    new.digest = encode(sha256(convert_to(new.salt || new.circumstances, 'UTF8')), 'hex');
    new.hash = encode(
        sha256(
            convert_to(concat_ws(E'\n', head.hash, new.number, new.digest, new.entry), 'UTF8')
        ),
        'hex'
    );
    update audit_head set number = new.number, hash = new.hash where is_only;
    return new;
end $$;
create trigger chained before insert on audit_log for each row execute function audit_chains();

create function audit_stays() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if new.circumstances is null and (new.number, new.entry, new.digest, new.hash)
            is not distinct from (old.number, old.entry, old.digest, old.hash)
        then
            return new;
        end if;
    end if;
    raise exception 'the audit log is only ever added to'
        using errcode = 'integrity_constraint_violation';
end $$;
create trigger stays before update or delete on audit_log
    for each row execute function audit_stays();
create trigger stays_whole before truncate on audit_log
    for each statement execute function audit_stays();


-- migrate: rollback

drop table audit_log, audit_head;
drop function audit_chains, audit_stays;
