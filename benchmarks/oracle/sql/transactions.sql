-- Payment behaviour: the night's calendar month and the 12 before. What nobody reported is null, never zero.
CREATE OR REPLACE TEMP TABLE of_transactions AS
WITH counted AS (  -- but disputed ones, and those whose dispute was upheld
    SELECT t.person_id, datediff('month', t.booked_on, night()) AS age, category, amount_minor AS amount,
           greatest(-amount_minor, 0) AS paid, credit_limit_minor AS credit_limit, days_past_due
    FROM kept('accepted_transactions') t
    JOIN readers r ON r.person_id = t.person_id AND r.source = 'transactions'
    LEFT JOIN flags f ON f.feed = 'transactions' AND f.key = t.transaction_id
    WHERE NOT coalesce(f.disputed OR f.upheld, false)
      AND t.booked_on >= date_trunc('month', night()) - INTERVAL 12 MONTH
      AND anniversary(t.booked_on, 7) > night()
),
months AS (
    SELECT person_id, age,
           coalesce(sum(amount) FILTER (category IN ('salary', 'benefit', 'pension') AND amount > 0), 0) AS income,
           coalesce(sum(paid) FILTER (category IN ('rent', 'mortgage')), 0) AS housing,
           coalesce(sum(paid) FILTER (category = 'loan_repayment'), 0) AS loans,
           coalesce(sum(abs(amount)) FILTER (category = 'card_repayment'), 0) AS repaid,
           coalesce(sum(paid) FILTER (category = 'card_statement'), 0) AS owed,
           coalesce(sum(paid) FILTER (category = 'card_statement' AND credit_limit IS NOT NULL), 0) AS owed_of_limit,
           coalesce(sum(credit_limit) FILTER (category = 'card_statement'), 0) AS credit_limit,
           count(*) FILTER (category = 'card_statement') AS statements,
           max(days_past_due) AS late_days,
           count(*) FILTER (category = 'overdraft_fee') AS overdraft_fees,
           count(*) FILTER (category = 'returned_payment') AS returned,
           coalesce(sum(paid) FILTER (category = 'cash_withdrawal'), 0) AS cash,
           coalesce(sum(paid) FILTER (category <> 'card_statement'), 0) AS outgoing
    FROM counted
    GROUP BY person_id, age
),
paired AS (
    SELECT m.*, n.repaid AS repaid_next_month,  -- null where the next month has no booking
           CASE WHEN m.statements > 0 AND b.statements > 0 THEN b.owed END AS owed_month_before
    FROM months m LEFT JOIN months n ON n.person_id = m.person_id AND n.age = m.age - 1
    LEFT JOIN months b ON b.person_id = m.person_id AND b.age = m.age + 1
),
folded AS (
    SELECT person_id,
           count(*) AS months_active,
           CASE WHEN count(late_days) > 0 THEN count(*) FILTER (late_days > 0) END AS months_late,
           CASE WHEN count(late_days) > 0 THEN coalesce(min(age) FILTER (late_days > 0), 99) END AS months_since_late,
           max(late_days) AS max_days_past_due,
           arg_min(late_days, age) FILTER (late_days IS NOT NULL) AS days_past_due_latest,
           ratio(sum(owed_of_limit) FILTER (age <= 3), sum(credit_limit) FILTER (age <= 3)) AS utilisation,
           ratio(sum(owed_of_limit) FILTER (age BETWEEN 4 AND 6), sum(credit_limit) FILTER (age BETWEEN 4 AND 6))
               AS utilisation_before,
           greatest(sum(credit_limit - owed_of_limit) FILTER (age <= 3 AND credit_limit > 0), 0)::DOUBLE
               / nullif(count(*) FILTER (age <= 3 AND credit_limit > 0), 0) AS unused_limit_minor,
           -- more than interest of 2 percent came to what was owed: the card was used
           ratio(count(*) FILTER (age >= 1 AND 50 * (owed + repaid - owed_month_before) > owed_month_before),
                 count(*) FILTER (age >= 1 AND owed_month_before IS NOT NULL)) AS card_use_months_share,
           at_most_one(ratio(sum(repaid), sum(owed))) AS repaid_share,
           at_most_one(min(ratio(repaid_next_month, owed)) FILTER (age >= 2)) AS least_repaid_share,
           at_most_one(ratio(count(*) FILTER (repaid > 0 AND age >= 1), count(*) FILTER (statements > 0 AND age >= 1)))
               AS repaid_months_share,
           ratio(coalesce(sum(repaid) FILTER (age >= 1), 0), count(*) FILTER (statements > 0 AND age >= 1))
               AS repaid_monthly_minor,
           -- the month after is over from two months on; without a booking then, nothing is known of it
           CASE WHEN sum(statements) > 0
                THEN count(*) FILTER (owed > 0 AND repaid = 0 AND repaid_next_month = 0 AND age >= 2) END
               AS missed_repayments,
           ratio(sum(income) FILTER (age BETWEEN 1 AND 6), count(*) FILTER (income > 0 AND age BETWEEN 1 AND 6))
               AS income_monthly_minor,
           nullif(count(*) FILTER (income > 0), 0) AS income_months,
           CASE WHEN sum(housing) FILTER (age BETWEEN 1 AND 6) > 0
                THEN ratio(sum(housing) FILTER (age BETWEEN 1 AND 6), sum(income) FILTER (age BETWEEN 1 AND 6)) END
               AS housing_to_income,
           ratio(sum(loans) FILTER (age BETWEEN 1 AND 6), sum(income) FILTER (age BETWEEN 1 AND 6)) AS loans_to_income,
           sum(overdraft_fees) AS overdraft_fees,
           sum(returned) AS returned_payments,
           ratio(sum(cash), sum(outgoing)) AS cash_share
    FROM paired
    GROUP BY person_id
)
SELECT *, utilisation - utilisation_before AS utilisation_trend, true AS present, []::VARCHAR[] AS suspended
FROM folded;
ALTER TABLE of_transactions DROP COLUMN utilisation_before;
