-- name: find_unit_certificate
select state from unit_certificates where unit = :unit and authority = :authority;

-- name: save_unit_certificate!
-- Only after the version before; of two at once, one changes nothing.
insert into unit_certificates (state) values (:state)
on conflict (unit, authority) do update set state = excluded.state
where unit_certificates.version = excluded.version - 1;

-- name: unit_certificates_under_other_keys
select state from unit_certificates
where key_id < :key_id or key_id > :key_id
for update skip locked;

-- name: reseal_unit_certificate!
update unit_certificates set state = :state where unit = :unit and authority = :authority;

-- name: has_unit_certificates
select to_regclass('unit_certificates') is not null;
