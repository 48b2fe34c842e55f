-- name: take_turn
-- Whether nobody else is at it; given back with the end of the transaction, however it ends.
select pg_try_advisory_xact_lock(hashtextextended(:answer_id::text, 0));

-- name: find_kept_answer
select state from kept_answers where id = :answer_id;

-- name: keep_answer!
-- One that has expired may be in its place still.
insert into kept_answers (state) values (:state)
on conflict (id) do update set state = excluded.state;

-- name: forget_kept_answers!
-- A few at each turn, so that nobody ever has to remove many.
delete from kept_answers
where id in (
    select id from kept_answers where expires_at <= instant(:now)
    order by expires_at limit 20 for update skip locked
);
