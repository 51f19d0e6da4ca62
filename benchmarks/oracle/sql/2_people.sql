-- Who was erased, has died, is contested, or has a refused declaration that stops scores until it is mended.

-- An erasure takes effect the night it is accepted: what was taken through that night is gone.
CREATE OR REPLACE TEMP TABLE erased AS
SELECT person_id, max(granted_on) AS erased_on, max(night) AS erased_night
FROM accepted_consents
WHERE kind = 'erasure' AND night <= night()
GROUP BY person_id;

-- Refused withdrawals, erasures and deaths whose person can be read. Mended: a row of that key was accepted since; where
-- the key cannot be read, a later declaration of that kind by that person.
CREATE OR REPLACE TEMP TABLE stopped AS
WITH refused AS (
    SELECT person_id, lower(cell(verbatim, 'kind')) AS kind, record_key, night
    FROM quarantine_consents
    WHERE person_id IS NOT NULL AND night <= night()
),
said AS (
    SELECT person_id, kind, consent_id, night
    FROM accepted_consents
    WHERE kind IN ('withdrawal', 'erasure', 'death') AND night <= night()
)
SELECT DISTINCT person_id, kind
FROM refused r
WHERE kind IN ('withdrawal', 'erasure', 'death')
  AND NOT EXISTS (
      FROM said s
      WHERE s.person_id = r.person_id
        AND CASE WHEN r.record_key IS NULL THEN s.kind = r.kind AND s.night > r.night
                 ELSE s.consent_id = r.record_key AND s.night >= r.night END
  );

-- Nobody here is scored: `granted_through` null for good, a date for every consent granted through it.
CREATE OR REPLACE TEMP TABLE barred AS
SELECT DISTINCT person_id, NULL::DATE AS granted_through FROM accepted_consents WHERE kind = 'death' AND night <= night()
UNION
SELECT person_id, NULL FROM stopped
UNION
SELECT person_id, NULL FROM quarantine_consents WHERE contested AND person_id IS NOT NULL AND night <= night()
UNION
SELECT person_id, NULL FROM quarantine_disputes WHERE contested AND person_id IS NOT NULL AND night <= night()
UNION
SELECT person_id, erased_on FROM erased;
