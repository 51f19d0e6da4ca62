-- Awards that are not revoked, and whose dispute was not upheld.
CREATE OR REPLACE TEMP TABLE of_education AS
SELECT e.person_id,
       max(isced_level) AS highest_isced_level,
       whole_months(max(awarded_on), night()) // 12 AS years_since_award,
       true AS present,
       named(['highest_isced_level', 'years_since_award'], bool_or(coalesce(f.suspended, false))) AS suspended
FROM now_education e
JOIN readers r ON r.person_id = e.person_id AND r.source = 'education'
LEFT JOIN flags f ON f.feed = 'education' AND f.key = e.award_id
WHERE (revoked_on IS NULL OR revoked_on > night()) AND NOT coalesce(f.upheld, false)
GROUP BY e.person_id;
