-- Assessments of the last 7 years, and final determinations of debt.
CREATE OR REPLACE TEMP TABLE of_tax AS
WITH determined AS (  -- an order is a record of which any accepted version was a final determination
    SELECT DISTINCT assessment_id FROM accepted_tax WHERE night <= night() AND status = 'final_determination'
),
records AS (
    SELECT t.*, coalesce(f.upheld, false) AS upheld, coalesce(f.suspended, false) AS suspended,
           anniversary(assessed_on, 7) > night() AND NOT coalesce(f.upheld, false) AS assessed,
           -- whose status left it is satisfied when paid, otherwise set aside
           assessment_id IN (FROM determined) AND status = 'final_determination'
               AND debt_minor > 0
               AND complete('tax_debts', authority, legal_basis, ordered_on)
               AND final(served_on, objection_until)
               AND NOT annulled(set_aside_on, appeal_lodged_on, appeal_decided_on, appeal_outcome)
               AND NOT appealed(appeal_lodged_on, appeal_decided_on, appeal_outcome)
               AND NOT stayed(stayed_from, stayed_until)
               AND NOT coalesce(f.upheld, false)
               AND NOT coalesce(satisfied_on <= night(), false)
               AND NOT coalesce(expires_on < night(), false)
               AND anniversary(ordered_on, 7) > night() AS owed
    FROM now_tax t
    JOIN readers r ON r.person_id = t.person_id AND r.source = 'tax'
    LEFT JOIN flags f ON f.feed = 'tax' AND f.key = t.assessment_id
),
newest AS (  -- of one year: the latest assessment; of one day: the greatest amounts
    SELECT person_id, income_minor, tax_due_minor, tax_paid_minor, suspended
    FROM records
    WHERE assessed
    QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY tax_year DESC, assessed_on DESC, income_minor DESC,
                               tax_due_minor DESC, tax_paid_minor DESC, suspended DESC) = 1
),
folded AS (
    SELECT person_id,
           CASE WHEN bool_or(assessed)
                THEN coalesce(bool_or(status = 'arrears' AND NOT suspended) FILTER (assessed), false)::INT END
               AS tax_in_arrears,
           coalesce(sum(debt_minor) FILTER (owed AND NOT suspended), 0) AS tax_debt_minor,
           coalesce(bool_or(suspended AND status = 'arrears') FILTER (assessed), false) AS arrears_suspended,
           coalesce(bool_or(suspended) FILTER (owed), false) AS debt_suspended
    FROM records
    GROUP BY person_id
)
SELECT person_id, income_minor AS assessed_income_minor, tax_in_arrears, tax_debt_minor,
       ratio(tax_paid_minor, tax_due_minor) AS tax_paid_share,
       true AS present,
       named(['assessed_income_minor', 'tax_paid_share'], newest.suspended)
           || named(['tax_in_arrears'], arrears_suspended)
           || named(['tax_debt_minor'], debt_suspended) AS suspended
FROM folded LEFT JOIN newest USING (person_id);
