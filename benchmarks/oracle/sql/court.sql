-- Money judgments (7 years) and insolvencies (10 years); no other kind of order is read. No order is information.
CREATE OR REPLACE TEMP TABLE of_court AS
WITH records AS (
    SELECT r.person_id, ordered_on, coalesce(f.suspended, false) AS suspended,
           final(served_on, objection_until)
               AND NOT annulled(set_aside_on, appeal_lodged_on, appeal_decided_on, appeal_outcome)
               AND NOT appealed(appeal_lodged_on, appeal_decided_on, appeal_outcome)
               AND NOT stayed(stayed_from, stayed_until)
               AND NOT coalesce(f.upheld, false) AS stands,
           kind = 'money_judgment' AND complete('judgment_debts', authority, legal_basis, ordered_on)
               AND debt_minor IS NOT NULL AND anniversary(ordered_on, 7) > night() AS judgment,
           kind = 'insolvency' AND complete('insolvencies', authority, legal_basis, ordered_on)
               AND anniversary(ordered_on, 10) > night() AS insolvency,
           coalesce(satisfied_on <= night(), false) OR (kind = 'money_judgment' AND coalesce(debt_minor <= 0, false))
               AS satisfied,
           coalesce(expires_on < night(), false) AS ended
    FROM now_court c
    JOIN readers r ON r.person_id = c.person_id AND r.source = 'court'
    LEFT JOIN flags f ON f.feed = 'court' AND f.key = c.order_id
),
counted AS (
    SELECT person_id, ordered_on, suspended,
           coalesce(stands AND judgment AND NOT satisfied AND NOT ended, false) AS unsatisfied,
           coalesce(stands AND judgment AND satisfied, false) AS paid,
           coalesce(stands AND insolvency AND NOT satisfied AND NOT ended, false) AS insolvent
    FROM records
)
SELECT r.person_id,
       count(*) FILTER (unsatisfied AND NOT suspended) AS judgments_unsatisfied,
       count(*) FILTER (paid AND NOT suspended) AS judgments_satisfied,
       whole_months(max(ordered_on) FILTER (unsatisfied AND NOT suspended), night()) AS months_since_judgment,
       count(*) FILTER (insolvent AND NOT suspended) AS insolvencies,
       true AS present,
       named(['judgments_unsatisfied', 'months_since_judgment'], bool_or(unsatisfied AND suspended))
           || named(['judgments_satisfied'], bool_or(paid AND suspended))
           || named(['insolvencies'], bool_or(insolvent AND suspended)) AS suspended
FROM readers r LEFT JOIN counted c USING (person_id)
WHERE r.source = 'court'
GROUP BY r.person_id;
