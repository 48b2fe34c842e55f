-- name: save_refused_tries!
insert into refused_tries (state)
select one::jsonb from unnest(:states::text[]) as new (one)
on conflict (id) do nothing;

-- name: list_refused_tries
select state from refused_tries where true;
