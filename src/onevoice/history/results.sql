-- What came of contacts, by parts, each query under its name; they ask the tables of exposures.sql.

-- name: parts
select part, count(*) filter (where not held), count(*) filter (where not held and is_converted),
       count(*) filter (where held), count(*) filter (where held and is_converted)
from outcome group by part order by part;

-- name: counts
-- Customers of each campaign since somebody was held out of it, on the side of their first contact since then.
with side as (
    select part, campaign, customer, arg_min(held, id) as held from outcome where is_compared group by all),
customer as (
    select s.part, s.campaign, s.customer, s.held, bool_or(o.is_converted) as is_converted
    from side as s join outcome as o using (part, campaign, customer, held)
    where o.is_compared group by all)
select part, count(*) filter (where not held), count(*) filter (where not held and is_converted),
       count(*) filter (where held), count(*) filter (where held and is_converted)
from customer group by part, campaign order by part, campaign;
