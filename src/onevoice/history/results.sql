-- What came of contacts, by parts, each query under its name; they ask the tables of exposures.sql.

-- name: parts
select kind, part, count(*) filter (where not held), count(*) filter (where not held and is_converted),
       count(*) filter (where held), count(*) filter (where held and is_converted)
from parted group by kind, part;

-- name: counts
-- Customers of each campaign since somebody was held out of it, on the side of their first contact since then.
with side as (
    select kind, part, campaign, customer, arg_min(held, id) as held from parted where is_compared group by all),
customer as (
    select s.kind, s.part, s.campaign, s.customer, s.held, bool_or(o.is_converted) as is_converted
    from side as s join parted as o using (kind, part, campaign, customer, held)
    where o.is_compared group by all)
select kind, part, count(*) filter (where not held), count(*) filter (where not held and is_converted),
       count(*) filter (where held), count(*) filter (where held and is_converted)
from customer group by kind, part, campaign order by kind, part, campaign;

-- name: customers
-- How many were contacted at least once, and how many were held out at least once.
select count(distinct customer) filter (where not held), count(distinct customer) filter (where held) from outcome;
