-- What two sides of a rehearsal, `happened` and `rehearsed`, have in common and where they differ. Each is a schema with the tables of
-- wishes.sql and of sides.sql.

-- name: totals
select (select count(*) from wish), (select count(*) from contact),
       (select count(*) from line where kind = 'ask' and reason = 'won'),
       (select count(distinct customer) from contact where customer >= 0),
       (select count(*) from line where kind <> 'ask' and reason = 'would_have_won');

-- name: groups
select 'class', class, count(*) from contact group by class
union all
select 'owner', owner, count(*) from contact group by owner
union all
select 'channel', channel, count(*) from contact group by channel;

-- name: days
select local_time::date, class, channel, count(*) from contact group by all order by all;

-- name: too_many_rolling
with counted as (
    select customer, count(*) over (
        partition by customer order by time range between $window preceding and current row) as contacts
    from contact where customer >= 0 and counts)
select count(*), count(distinct customer) from counted where contacts > $most;

-- name: too_many_a_period
with counted as (
    select customer, row_number() over (
        partition by customer, date_trunc($period, local_time) order by time) as contacts
    from contact where customer >= 0 and counts)
select count(*), count(distinct customer) from counted where contacts > $most;

-- name: spread
select rehearsed - happened, count(*) from heard group by 1 order by 1;

-- name: most_changed
select customer, happened, rehearsed from heard where (rehearsed - happened) * $sign > 0
order by (rehearsed - happened) * $sign desc, customer limit $most;

-- name: differences
select difference, count(*) from pair group by difference order by 2 desc, 1;

-- name: sample
-- As many of each difference as there is room for, of each first those with other winners; who comes is left to a hash.
with spread as (
    select *, row_number() over (
        partition by difference, won_happened, won_rehearsed order by hash(customer, time), decision_happened, decision_rehearsed
    ) as nth from pair),
ranked as (
    select *, row_number() over (
        partition by difference order by nth, hash(customer, time), decision_happened, decision_rehearsed) as place
    from spread),
chosen as (select * from ranked order by place, difference limit $most)
select difference, customer, time, decision_happened is not null, decision_rehearsed is not null,
       coalesce(decision_happened, (select coalesce(
           max(decision) filter (where l.time <= c.time), min(decision)) from happened.line as l
           where l.customer = c.customer and l.campaign = c.campaign and (l.kind = 'ask') = (c.kind = 'ask')
           and if(l.kind in ('stop', 'source_stale', 'source_fresh'), l.kind, '') =
               if(c.kind in ('stop', 'source_stale', 'source_fresh'), c.kind, ''))),
       coalesce(decision_rehearsed, (select coalesce(
           max(decision) filter (where l.time <= c.time), min(decision)) from rehearsed.line as l
           where l.customer = c.customer and l.campaign = c.campaign and (l.kind = 'ask') = (c.kind = 'ask')
           and if(l.kind in ('stop', 'source_stale', 'source_fresh'), l.kind, '') =
               if(c.kind in ('stop', 'source_stale', 'source_fresh'), c.kind, '')))
from chosen as c order by place, difference, time, customer;
