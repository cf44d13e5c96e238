-- From wishes (wishes.sql) to where they meet. Two wishes of the same customer that waited at the same time, or no longer than `within`
-- apart, and which of them went out first ('' for neither).
create table collision as
select a.customer, a.campaign as one, b.campaign as other, a.is_sent as one_sent, b.is_sent as other_sent,
       case when a.is_sent and (not b.is_sent or a.last_at <= b.last_at) then a.campaign
            when b.is_sent then b.campaign else '' end as winner
from wish as a join wish as b on a.customer = b.customer and a.campaign < b.campaign
 and a.first_at <= b.last_at + $within and b.first_at <= a.last_at + $within
where a.customer >= 0;

-- Each two campaigns that met, so, or at a placement, where one ask begins and ends their wishes.
create table meeting as
with asked as (
    select a.placement, a.customer, a.campaign as one, b.campaign as other, a.reason = 'won' as one_sent,
           b.reason = 'won' as other_sent
    from line as a join line as b on a.decision = b.decision and a.campaign < b.campaign
    where a.kind = 'ask' and b.kind = 'ask' and a.customer >= 0)
select one, other, '' as placement, count(distinct customer) as customers, count(*) as times,
       count(*) filter (where winner = one) as one_first, count(*) filter (where winner = other) as other_first,
       count(*) filter (where not one_sent) as one_lost, count(*) filter (where not other_sent) as other_lost
from collision group by one, other
union all
select one, other, placement, count(distinct customer), count(*), count(*) filter (where one_sent and not other_sent),
       count(*) filter (where other_sent and not one_sent), count(*) filter (where not one_sent),
       count(*) filter (where not other_sent)
from asked group by one, other, placement;

-- How many wishes a customer had at once, at each instant at which one more came.
create table crowd as
select customer, since, sum(step) over (partition by customer order by since, step desc) as wishes
from (select customer, first_at as since, 1 as step from wish
      union all select customer, last_at, -1 from wish where isfinite(last_at))
where customer >= 0;
