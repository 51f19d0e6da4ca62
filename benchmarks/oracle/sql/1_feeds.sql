-- A feed is fresh on the night when its last good delivery is dated the night minus its freshness or later.
-- Days: data dictionary, "Usable for". Without fresh disputes tax, court and traffic are absent in scores.
CREATE OR REPLACE TEMP TABLE feeds AS
WITH usable (feed, days) AS (
    VALUES ('consents', 1), ('disputes', 2), ('transactions', 3), ('court', 3), ('traffic', 3), ('tax', 35),
           ('education', 400)
),
good AS (
    SELECT feed, max(delivered_on) AS last_good_on
    FROM deliveries
    WHERE stopped IS NULL AND night <= night() AND delivered_on <= night()
    GROUP BY feed
),
each AS (
    SELECT feed, coalesce(last_good_on >= night() - days, false) AS fresh FROM usable LEFT JOIN good USING (feed)
)
SELECT feed,
       fresh AND (feed NOT IN ('tax', 'court', 'traffic') OR (SELECT fresh FROM each WHERE feed = 'disputes')) AS fresh
FROM each;
