-- The current version of each record (the greatest revised_at), and what disputes and doubt do to it. Where that was an
-- erased person's there is none: an older version is never current again.

CREATE OR REPLACE TEMP VIEW newest_consents AS FROM newest('accepted_consents', consent_id);
CREATE OR REPLACE TEMP TABLE now_consents AS FROM kept('newest_consents');
CREATE OR REPLACE TEMP VIEW newest_disputes AS FROM newest('accepted_disputes', dispute_id);
CREATE OR REPLACE TEMP TABLE now_disputes AS FROM kept('newest_disputes');
CREATE OR REPLACE TEMP VIEW newest_tax AS FROM newest('accepted_tax', assessment_id);
CREATE OR REPLACE TEMP TABLE now_tax AS FROM kept('newest_tax');
CREATE OR REPLACE TEMP VIEW newest_court AS FROM newest('accepted_court', order_id);
CREATE OR REPLACE TEMP TABLE now_court AS FROM kept('newest_court');
CREATE OR REPLACE TEMP VIEW newest_traffic AS FROM newest('accepted_traffic', decision_id);
CREATE OR REPLACE TEMP TABLE now_traffic AS FROM kept('newest_traffic');
CREATE OR REPLACE TEMP VIEW newest_education AS FROM newest('accepted_education', award_id);
CREATE OR REPLACE TEMP TABLE now_education AS FROM kept('newest_education');

-- Every record that a dispute or a refused row can touch, in one shape. A transaction is never revised.
CREATE OR REPLACE TEMP VIEW versions AS
SELECT 'consents' AS feed, consent_id AS key, person_id, revised_at, night, {'withdrawn_on': withdrawn_on,
       'satisfied_on': NULL::DATE, 'set_aside_on': NULL::DATE, 'stayed_from': NULL::DATE,
       'appeal_lodged_on': NULL::DATE} AS has
FROM now_consents
UNION ALL
SELECT 'tax', assessment_id, person_id, revised_at, night, {'withdrawn_on': NULL, 'satisfied_on': satisfied_on,
       'set_aside_on': set_aside_on, 'stayed_from': stayed_from, 'appeal_lodged_on': appeal_lodged_on}
FROM now_tax
UNION ALL
SELECT 'court', order_id, person_id, revised_at, night, {'withdrawn_on': NULL, 'satisfied_on': satisfied_on,
       'set_aside_on': set_aside_on, 'stayed_from': stayed_from, 'appeal_lodged_on': appeal_lodged_on}
FROM now_court
UNION ALL
SELECT 'traffic', decision_id, person_id, revised_at, night, {'withdrawn_on': NULL, 'satisfied_on': satisfied_on,
       'set_aside_on': set_aside_on, 'stayed_from': stayed_from, 'appeal_lodged_on': appeal_lodged_on}
FROM now_traffic
UNION ALL
SELECT 'education', award_id, person_id, revised_at, night, {'withdrawn_on': NULL, 'satisfied_on': NULL,
       'set_aside_on': NULL, 'stayed_from': NULL, 'appeal_lodged_on': NULL}
FROM now_education
UNION ALL
SELECT 'transactions', transaction_id, t.person_id, NULL, t.night, {'withdrawn_on': NULL, 'satisfied_on': NULL,
       'set_aside_on': NULL, 'stayed_from': NULL, 'appeal_lodged_on': NULL}
FROM kept('accepted_transactions') t
WHERE transaction_id IN (SELECT record_id FROM now_disputes WHERE feed = 'transactions');

-- What each dispute says tonight. Open 30 days (45 with an extension of the policy) without an outcome: as upheld.
CREATE OR REPLACE TEMP TABLE said AS
WITH clock AS (
    SELECT *, opened_on + CASE WHEN dispute_id IN (FROM policy_extensions) THEN 45 ELSE 30 END AS runs_out_on,
           coalesce(outcome IS NOT NULL AND resolved_on <= night(), false) AS decided
    FROM now_disputes
    WHERE kind <> 'review' AND opened_on <= night()
)
SELECT feed, record_id AS key, person_id, opened_on, certified_by IS NOT NULL AS certified,
       CASE WHEN decided THEN outcome WHEN runs_out_on <= night() THEN 'upheld' ELSE 'open' END AS verdict,
       CASE WHEN decided THEN resolved_on WHEN runs_out_on <= night() THEN runs_out_on END AS decided_on
FROM clock;

-- A dispute counts only with the record's own person.
CREATE OR REPLACE TEMP TABLE disputed AS
WITH about AS (
    SELECT v.feed, v.key, s.* EXCLUDE (feed, key, person_id), v.revised_at::DATE AS revised_on
    FROM versions v JOIN said s USING (feed, key, person_id)
),
-- after a rejection no further dispute of the same version suspends it, but one that is certified
rejected AS (
    SELECT feed, key, min(decided_on) AS rejected_on
    FROM about
    WHERE verdict = 'rejected' AND NOT coalesce(revised_on > decided_on, false)
    GROUP BY feed, key
)
SELECT feed, key,
       bool_or(CASE verdict
           WHEN 'open' THEN certified OR rejected_on IS NULL OR opened_on < rejected_on
           WHEN 'corrected' THEN NOT coalesce(revised_on > opened_on, false)
           ELSE false END) AS suspends,
       bool_or(verdict = 'upheld' AND NOT (certified AND coalesce(revised_on > decided_on, false))) AS upheld
FROM about LEFT JOIN rejected USING (feed, key)
GROUP BY feed, key;

-- In doubt: a refused row of that key and person fills a date that the record has not, until a newer revision. What the
-- refused row itself says of its revision counts where it can be read and is no later than its night.
CREATE OR REPLACE TEMP TABLE doubted AS
WITH refused AS (
    SELECT feed, record_key AS key, person_id, night,
           CASE WHEN try_cast(cell(verbatim, 'revised_at') AS TIMESTAMPTZ)::DATE <= night
                THEN try_cast(cell(verbatim, 'revised_at') AS TIMESTAMPTZ) END AS revised_at,
           cell(verbatim, 'withdrawn_on') AS withdrawn_on, cell(verbatim, 'satisfied_on') AS satisfied_on,
           cell(verbatim, 'set_aside_on') AS set_aside_on, cell(verbatim, 'stayed_from') AS stayed_from,
           cell(verbatim, 'appeal_lodged_on') AS appeal_lodged_on
    FROM quarantine
    WHERE person_id IS NOT NULL AND record_key IS NOT NULL AND night <= night()
)
SELECT DISTINCT feed, key
FROM versions v JOIN refused r USING (feed, key, person_id)
WHERE ((feed = 'consents' AND r.withdrawn_on IS NOT NULL AND v.has.withdrawn_on IS NULL)
    OR (feed IN ('tax', 'court', 'traffic') AND (
           (r.satisfied_on IS NOT NULL AND v.has.satisfied_on IS NULL)
        OR (r.set_aside_on IS NOT NULL AND v.has.set_aside_on IS NULL)
        OR (r.stayed_from IS NOT NULL AND v.has.stayed_from IS NULL)
        OR (r.appeal_lodged_on IS NOT NULL AND v.has.appeal_lodged_on IS NULL))))
  AND NOT CASE WHEN r.revised_at IS NULL THEN v.night > r.night
               ELSE v.revised_at > r.revised_at OR (v.revised_at = r.revised_at AND v.night > r.night) END;

CREATE OR REPLACE TEMP TABLE flags AS
SELECT feed, key, coalesce(suspends, false) AS disputed, coalesce(upheld, false) AS upheld,
       in_doubt IS NOT NULL AS in_doubt, coalesce(suspends, false) OR in_doubt IS NOT NULL AS suspended
FROM disputed FULL JOIN (SELECT feed, key, true AS in_doubt FROM doubted) USING (feed, key);
