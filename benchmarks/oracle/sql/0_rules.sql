-- Words of the rules that more than one source uses. `night()` is the night that is computed.
CREATE OR REPLACE MACRO night() AS getvariable('night')::DATE;

-- A cell of a refused row's JSON; null when empty or unreadable.
CREATE OR REPLACE MACRO cell(verbatim, name) AS
    CASE WHEN json_valid(verbatim) THEN nullif(trim(verbatim ->> ('$.' || name)), '') END;

-- Accepted through the night, but what an erasure removed.
CREATE OR REPLACE MACRO kept(feed) AS TABLE
    SELECT a.* FROM query_table(feed) a LEFT JOIN erased e USING (person_id)
    WHERE a.night <= night() AND (e.person_id IS NULL OR a.night > e.erased_night);

-- Of each record the version with the greatest revised_at that was accepted through the night.
CREATE OR REPLACE MACRO newest(feed, key) AS TABLE
    FROM query_table(feed) WHERE night <= night()
    QUALIFY row_number() OVER (PARTITION BY key ORDER BY revised_at DESC) = 1;

-- The n-th anniversary: of 29 February it is 28 February.
CREATE OR REPLACE MACRO anniversary(day, years) AS (day + to_years(years))::DATE;

-- Whole months between two days: a month is over on its day, or on the last day of a month that has no such day.
CREATE OR REPLACE MACRO whole_months(since, until) AS
    datediff('month', since, until)
    - CASE WHEN since + to_months(datediff('month', since, until)::INT) > until THEN 1 ELSE 0 END;

CREATE OR REPLACE MACRO ratio(part, whole) AS CASE WHEN whole > 0 THEN part::DOUBLE / whole::DOUBLE END;

-- Not least(): it would make 1 of a null.
CREATE OR REPLACE MACRO at_most_one(share) AS CASE WHEN share > 1 THEN 1.0::DOUBLE ELSE share END;

-- The names, where the condition holds.
CREATE OR REPLACE MACRO named(names, condition) AS CASE WHEN condition THEN names ELSE []::VARCHAR[] END;

-- A record counts in scores only when each of these says so (RULES, "In scores").
CREATE OR REPLACE MACRO complete(register_name, authority_name, basis, ordered) AS
    coalesce(basis IS NOT NULL AND ordered IS NOT NULL
             AND list_contains(getvariable('authorities')[register_name], authority_name), false);
CREATE OR REPLACE MACRO final(served, objection) AS
    coalesce(served <= night() AND objection < night(), false);
CREATE OR REPLACE MACRO annulled(set_aside, lodged, decided, outcome) AS
    coalesce(set_aside <= night(), false)
    -- lodged after decided is a new appeal, pending
    OR coalesce(outcome = 'allowed' AND decided <= night() AND (lodged IS NULL OR lodged <= decided), false);
CREATE OR REPLACE MACRO appealed(lodged, decided, outcome) AS
    coalesce(lodged <= night(), false)
    AND NOT coalesce(outcome = 'dismissed' AND decided <= night() AND lodged <= decided, false);
CREATE OR REPLACE MACRO stayed(since, until) AS
    (since IS NOT NULL OR until IS NOT NULL)
    AND coalesce(since <= night(), true) AND coalesce(until >= night(), true);
