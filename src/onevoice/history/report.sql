-- The queries of a report, each under its name; they ask the tables of wishes.sql.

-- name: span
select min(time), max(time) from line;

-- name: wishes
select count(*), count(*) filter (where is_sent) from wish;

-- name: asks
select count(distinct decision), count(*) filter (where reason = 'won') from line where kind = 'ask';

-- name: held
select count(distinct (customer, campaign, key, number)) from held;

-- name: campaigns
with wanted as (
    select campaign, count(*) as wishes, count(distinct customer) as customers, count(*) filter (where is_sent) as sent,
           count(*) filter (where outcome = 'waiting') as waiting,
           count(*) filter (where outcome = 'expired') as expired,
           count(*) filter (where outcome = 'ended') as ended,
           count(*) filter (where outcome = 'not_eligible') as not_eligible,
           count(*) filter (where outcome = 'would_have_won') as held_out
    from wish group by campaign),
asked as (
    select campaign, count(*) as asks, count(*) filter (where reason = 'won') as shown,
           count(distinct customer) as customers
    from line where kind = 'ask' group by campaign)
select c.name, c.class, c.owner, coalesce(w.wishes, 0), coalesce(w.customers, a.customers, 0), coalesce(w.sent, 0),
       coalesce(w.waiting, 0), coalesce(w.expired, 0), coalesce(w.ended, 0), coalesce(w.not_eligible, 0),
       coalesce(a.asks, 0), coalesce(a.shown, 0), coalesce(w.held_out, 0)
from campaign as c left join wanted as w on w.campaign = c.name left join asked as a on a.campaign = c.name
order by coalesce(w.sent, 0) desc, coalesce(a.shown, 0) desc, c.number;

-- name: weeks
select date_trunc('week', local_time)::date as week, campaign, class, channel, count(*)
from line where reason = 'won' and kind <> 'ask' group by all order by all;

-- name: reasons
select reason, arg_max(rule, decision), '' as placement, count(*), count(distinct customer),
       count(*) filter (where is_sent), words
from held group by reason, words
union all
select reason, arg_max(rule, decision), placement, count(*), count(distinct customer), 0, words
from line where kind = 'ask' and reason <> 'won' group by reason, words, placement
order by 3, 4 desc, 1, 2, 7;

-- name: load
with weekly as (
    select customer, date_trunc('week', local_time) as week, count(*) as contacts
    from line where reason = 'won' and kind <> 'ask' and customer >= 0 group by all),
span as (
    select greatest(1, 1 + date_diff('week', min(local_time), max(local_time))) as weeks from line)
select contacts, count(*) from weekly group by contacts
union all
select 0, coalesce(any_value(span.weeks), 0) * $customers - (select count(*) from weekly) from span
order by 1;

-- name: crowded
with most as (
    select customer, max(wishes) as at_once, arg_max(since, wishes) as since from crowd group by customer)
select w.customer, any_value(m.at_once)::int, any_value(m.since), count(*), count(distinct campaign),
       count(*) filter (where is_sent)
from wish as w join most as m using (customer)
group by w.customer order by 2 desc, 4 desc, 1 limit $most;

-- name: collisions
select * from meeting order by customers desc, times desc, one, other limit $most;

-- name: example
select customer, decision, position from line where kind = 'round' and customer >= 0
group by customer, decision, position having bool_or(reason = 'won')
order by count(distinct reason) desc, count(*) desc, decision limit 1;

-- name: paused
select campaign, time, value, "limit", coalesce(rule = 'failures', false) from decided where kind = 'stop' order by decision;

-- name: stale
with told as (
    select decision, any_value(kind) as kind, any_value(time) as time, any_value(rule) as rule,
           any_value(known_until) as known_until, string_agg(campaign, ', ' order by campaign) as campaigns
    from decided where kind in ('source_stale', 'source_fresh') group by decision),
paired as (
    select *, lead(kind) over (partition by rule order by decision) as then_kind,
           lead(time) over (partition by rule order by decision) as then_time
    from told)
select replace(rule, 'sources.', ''), time, known_until, if(then_kind = 'source_fresh', then_time, null), campaigns
from paired where kind = 'source_stale' order by decision;
