-- From the lines of decisions to wishes. Given: `decided` (Onevoice.decisions_table) and `campaigns_told` (number, name, class, owner, sends,
-- counts: whether its contacts are in caps).

create table campaign as select * from campaigns_told;

create table line as
select decision, kind, time, position, customer, campaign, key, reason, coalesce(rule, '') as rule,
       coalesce(placement, '') as placement, coalesce(channel, '') as channel, coalesce(words, '') as words, coalesce(winner, '') as winner, last_contact,
       coalesce(offer, '') as offer, parameters,
       coalesce(c.class, '') as class, coalesce(c.owner, '') as owner,
       coalesce(c.sends, false) as sends, coalesce(c.counts, true) as counts, timezone($zone, d.time) as local_time,
       d.reason in ('won', 'expired', 'ended', 'not_eligible', 'too_many', 'stopped', 'would_have_won') as is_last,
       d.follows is not null or (d.contact is not null and d.reason <> 'won') as is_after
from decided as d left join campaign as c on c.name = d.campaign;

-- A wish: one campaign that wanted one customer, from the first line about it to its last. One that has met no end yet
-- waits, unless its campaign sends no more: then it vanished when the playbook was published. An ask begins and ends with
-- its decision and is no wish; what became of a wish after its contact was made belongs to it no more.
create table numbered as
select *, coalesce(sum(is_last::int) over (
    partition by customer, campaign, key order by decision rows between unbounded preceding and 1 preceding
), 0)::int as number
from line where kind not in ('ask', 'stop', 'source_stale', 'source_fresh') and not is_after;

create table wish as
select customer, campaign, key, number, any_value(class) as class,
       min(time) as first_at,
       case when bool_or(is_last) or not any_value(sends) then max(time) else 'infinity'::timestamptz end as last_at,
       case when bool_or(is_last) then arg_max(reason, decision) when any_value(sends) then 'waiting' else 'gone' end
           as outcome,
       bool_or(reason = 'won') as is_sent
from numbered group by customer, campaign, key, number;

-- Each reason, and what its rule says, that held a wish back, once.
create table held as
select n.customer, n.campaign, n.key, n.number, n.reason, n.words, max(n.decision) as decision,
       arg_max(n.rule, n.decision) as rule, any_value(w.is_sent) as is_sent
from numbered as n join wish as w using (customer, campaign, key, number)
where not n.is_last
group by n.customer, n.campaign, n.key, n.number, n.reason, n.words;

create table contact as
select customer, campaign, class, owner, channel, offer, time, local_time, counts from line where reason = 'won' and kind <> 'ask';
