-- name: lease_effects
with due as (
    select effect_id from outbox
    where done_at is null and due_at <= instant(:now)
    order by due_at, effect_id
    limit :limit
    for update skip locked
),
leased as (
    update outbox set attempts = attempts + 1, due_at = instant(:lease_until)
    from due
    where outbox.effect_id = due.effect_id
    returning outbox.effect_id, outbox.made_at, outbox.effect, outbox.attempts
)
select effect, attempts from leased order by made_at, effect_id;

-- name: finish_effect!
update outbox set done_at = instant(:now) where effect_id = :effect_id and done_at is null;

-- name: postpone_effect!
update outbox set due_at = instant(:until), last_error = :error
where effect_id = :effect_id and done_at is null;

-- name: count_effects_left
select count(*) as left from outbox where done_at is null and due_at <= instant(:due_before);
