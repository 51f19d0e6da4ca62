-- Consent: which source may be read tonight for whom, for what and for which recipient; and the applications.
CREATE OR REPLACE TEMP TABLE live AS
WITH withdrawn AS (  -- final from the earliest day ever accepted
    SELECT consent_id, min(withdrawn_on) AS withdrawn_on FROM accepted_consents
    WHERE kind = 'consent' AND night <= night() GROUP BY consent_id
),
ends AS (  -- a withdrawal ends every consent of the person that it does not exclude
    SELECT person_id, granted_on AS ended_on, purpose, source, recipient
    FROM accepted_consents
    WHERE kind = 'withdrawal' AND granted_on <= night() AND night <= night()
)
SELECT DISTINCT c.person_id, c.purpose, c.recipient, c.source
FROM now_consents c
JOIN policy_pairs p USING (purpose, source, recipient)
LEFT JOIN flags f ON f.feed = 'consents' AND f.key = c.consent_id
LEFT JOIN withdrawn w USING (consent_id)
WHERE c.kind = 'consent'
  AND night() BETWEEN c.granted_on AND c.expires_on
  AND c.granted_on >= p.since
  AND (w.withdrawn_on IS NULL OR night() < w.withdrawn_on)
  AND NOT coalesce(f.suspended OR f.upheld, false)
  AND anniversary(c.birth_date, 18) <= night()
  AND (SELECT fresh FROM feeds WHERE feed = 'consents')
  AND NOT EXISTS (
      FROM ends e
      WHERE e.person_id = c.person_id AND c.granted_on <= e.ended_on
        AND coalesce(e.purpose = c.purpose, true)
        AND coalesce(e.source = c.source, true)
        AND coalesce(e.recipient = c.recipient, true))
  AND NOT EXISTS (
      FROM barred b
      WHERE b.person_id = c.person_id AND (b.granted_through IS NULL OR c.granted_on <= b.granted_through));

CREATE OR REPLACE TEMP TABLE applications AS
SELECT person_id, purpose, recipient, list_sort(list(source)) AS sources
FROM live
GROUP BY person_id, purpose, recipient
HAVING list_has_all(list(source), (SELECT list(source) FROM policy_required r WHERE r.purpose = live.purpose));

-- Of whom a source may be read at all.
CREATE OR REPLACE TEMP TABLE readers AS SELECT DISTINCT source, person_id FROM live;
