-- What each invoicing unit has at an authority: the certificate in force, and one on its way
-- depends: 0099_invoices_without_orders

-- migrate: apply

-- Keys and secrets in it are sealed.
create table unit_certificates (
    state jsonb not null,
    unit text collate "C" generated always as (state ->> 'unit') stored not null,
    authority text collate "C" generated always as (state ->> 'authority') stored not null,
    version bigint generated always as ((state ->> 'version')::bigint) stored not null,
    key_id text collate "C" generated always as (state ->> 'key_id') stored not null,
    constraint unit_certificates_pkey primary key (unit, authority)
) with (fillfactor = 70);


-- migrate: rollback

drop table unit_certificates;
