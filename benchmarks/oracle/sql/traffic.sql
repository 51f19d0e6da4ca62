-- Decided offences (minor 3 years, serious 5) and driving disqualifications in force. No offence is information.
CREATE OR REPLACE TEMP TABLE of_traffic AS
WITH records AS (
    SELECT r.person_id, kind, severity, penalty_points, coalesce(f.suspended, false) AS suspended,
           coalesce(complete('driving_disqualifications', authority, legal_basis, ordered_on)
               AND (kind = 'penalty_points' OR expires_on IS NOT NULL)
               AND final(served_on, objection_until)
               AND NOT annulled(set_aside_on, appeal_lodged_on, appeal_decided_on, appeal_outcome)
               AND NOT appealed(appeal_lodged_on, appeal_decided_on, appeal_outcome)
               AND NOT stayed(stayed_from, stayed_until)
               AND NOT coalesce(f.upheld, false)
               AND NOT coalesce(satisfied_on <= night(), false)
               AND NOT coalesce(expires_on < night(), false)
               AND anniversary(ordered_on, CASE severity WHEN 'serious' THEN 5 ELSE 3 END) > night(), false) AS counts
    FROM now_traffic t
    JOIN readers r ON r.person_id = t.person_id AND r.source = 'traffic'
    LEFT JOIN flags f ON f.feed = 'traffic' AND f.key = t.decision_id
),
counted AS (
    SELECT person_id, penalty_points, suspended,
           counts AND kind = 'penalty_points' AND severity = 'minor' AS minor,
           counts AND kind = 'penalty_points' AND severity = 'serious' AS serious,
           counts AND kind = 'driving_disqualification' AS banned
    FROM records
)
SELECT r.person_id,
       coalesce(sum(penalty_points) FILTER (minor AND NOT suspended), 0) AS penalty_points_minor,
       coalesce(sum(penalty_points) FILTER (serious AND NOT suspended), 0) AS penalty_points_serious,
       count(*) FILTER (banned AND NOT suspended) AS driving_disqualifications,
       true AS present,
       named(['penalty_points_minor'], bool_or(minor AND suspended))
           || named(['penalty_points_serious'], bool_or(serious AND suspended))
           || named(['driving_disqualifications'], bool_or(banned AND suspended)) AS suspended
FROM readers r LEFT JOIN counted c USING (person_id)
WHERE r.source = 'traffic'
GROUP BY r.person_id;
