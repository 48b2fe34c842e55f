-- name: add_job!
insert into jobs (name, version, state) values (:name, :version, :state)
on conflict (name) do nothing;

-- name: change_job!
update jobs set version = :version, state = :state
where name = :name and version = :version - 1;

-- name: find_job
select state from jobs where name = :name;
