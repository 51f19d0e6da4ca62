"""Consents, requests and identities at every edge of RULES ("Dates", "Consents", "Identity", "Doubt").

``ROWS`` are the rows of the feed ``consents`` with the outcome due of each; ``DUE`` the score of each person a night:
``s`` scored, ``a`` no score as source_absent, ``t`` as thin_file, ``.`` no application.
"""

# purpose x source x recipient in short
PAIRS = {
    "cc-tr": ("consumer_credit", "transactions", "demo-lender"),
    "cc-tax": ("consumer_credit", "tax", "demo-lender"),
    "cc-co": ("consumer_credit", "court", "demo-lender"),
    "oc-tr": ("consumer_credit", "transactions", "other-lender"),
    "mo-tf": ("motor_cover", "traffic", "demo-insurer"),
    "st-ed": ("study_finance", "education", "demo-student-finance"),
    "st-tax": ("study_finance", "tax", "demo-student-finance"),
    "st-tr": ("study_finance", "transactions", "demo-student-finance"),
    "x-purpose": ("threat_level", "transactions", "demo-lender"),
    "x-source": ("consumer_credit", "posts", "demo-lender"),
    "x-recipient": ("consumer_credit", "transactions", "my-cousin"),
    "f-source": ("consumer_credit", "traffic", "demo-lender"),
    "f-recipient": ("consumer_credit", "transactions", "demo-insurer"),
    "f-register": ("consumer_credit", "transactions", "enforcement-office"),
    "f-feed": ("consumer_credit", "disputes", "demo-lender"),
    "-": (None, None, None),
    "only-cc": ("consumer_credit", None, None),
    "only-st": ("study_finance", None, None),
    "only-court": (None, "court", None),
    "only-other": (None, None, "other-lender"),
    "only-tr-ol": (None, "transactions", "other-lender"),
    "only-typo": ("consumer-credit", None, None),
}
ROWS = """
day   | who         | id    | kind       | pair        | granted_on | more                                                | outcome
02-26 | plain       | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | starts      | 1     | consent    | cc-tr       | 2026-02-27 | -                                                   | accepted
02-26 | early       | 1     | consent    | cc-tr       | 2026-02-27 | -                                                   | impossible_date
02-26 | ends        | 1     | consent    | cc-tr       | 2026-01-10 | expires_on=2026-02-27                               | accepted
02-26 | shortened   | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | shortened   | 1     | consent    | cc-tr       | 2026-01-10 | expires_on=2026-02-28                               | accepted
02-26 | short-late  | 1     | consent    | cc-tr       | 2026-01-10 | revised_at=2026-01-12T00:00:00Z                     | accepted
02-27 | short-late  | 1     | consent    | cc-tr       | 2026-01-10 | expires_on=2026-02-27 revised_at=2026-01-11T00:00:00Z | accepted
02-26 | ahead       | 1     | consent    | cc-tr       | 2026-01-10 | withdrawn_on=2026-02-28                             | accepted
02-26 | withdrawn   | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-28 | withdrawn   | 1     | consent    | cc-tr       | 2026-01-10 | withdrawn_on=2026-02-28                             | accepted
02-26 | withdrawing | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-28 | withdrawing | 1     | consent    | cc-tr       | 2026-01-10 | withdrawn_on=2026-03-01                             | accepted
02-26 | undone      | 1     | consent    | cc-tr       | 2026-01-10 | withdrawn_on=2026-02-20                             | accepted
02-27 | undone      | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | consent_rewritten
02-26 | delayed     | 1     | consent    | cc-tr       | 2026-01-10 | withdrawn_on=2026-02-27                             | accepted
02-27 | delayed     | 1     | consent    | cc-tr       | 2026-01-10 | withdrawn_on=2026-06-01                             | consent_rewritten
02-26 | late-end    | 1     | consent    | cc-tr       | 2026-01-10 | revised_at=2026-02-10T00:00:00Z                     | accepted
02-27 | late-end    | 1     | consent    | cc-tr       | 2026-01-10 | withdrawn_on=2026-02-01 revised_at=2026-02-01T00:00:00Z | accepted
02-26 | a-year      | 1     | consent    | cc-tr       | 2026-01-10 | expires_on=2027-01-10                               | accepted
02-26 | over-a-year | 1     | consent    | cc-tr       | 2026-01-10 | expires_on=2027-01-11                               | out_of_range
02-26 | no-end      | 1     | consent    | cc-tr       | 2026-01-10 | expires_on=                                         | missing_required
02-26 | no-receipt  | 1     | consent    | cc-tr       | 2026-01-10 | receipt_sha256=                                     | missing_required
02-26 | nothing     | 1     | consent    | -           | 2026-01-10 | -                                                   | missing_required
02-26 | odd         | 1     | consent    | x-purpose   | 2026-01-10 | -                                                   | unknown_value
02-26 | odd         | 2     | consent    | x-source    | 2026-01-10 | -                                                   | unknown_value
02-26 | odd         | 3     | consent    | x-recipient | 2026-01-10 | -                                                   | unknown_value
02-26 | odd         | 4     | consent    | f-source    | 2026-01-10 | -                                                   | forbidden_by_policy
02-26 | odd         | 5     | consent    | f-recipient | 2026-01-10 | -                                                   | forbidden_by_policy
02-26 | odd         | 6     | consent    | f-register  | 2026-01-10 | -                                                   | forbidden_by_policy
02-26 | odd         | 7     | consent    | f-feed      | 2026-01-10 | -                                                   | forbidden_by_policy
02-26 | before      | 1     | consent    | st-ed       | 2026-01-31 | -                                                   | accepted
02-26 | since       | 1     | consent    | st-ed       | 2026-02-01 | -                                                   | accepted
02-26 | old-pair    | 1     | consent    | st-ed       | 2026-02-01 | -                                                   | accepted
02-26 | old-pair    | 2     | consent    | st-tax      | 2026-02-01 | -                                                   | forbidden_by_policy
02-27 | old-pair    | 2     | consent    | st-tax      | 2026-02-01 | -                                                   | accepted
02-26 | new-pair    | 1     | consent    | st-ed       | 2026-02-01 | -                                                   | accepted
02-27 | new-pair    | 2     | consent    | st-tax      | 2026-02-27 | -                                                   | accepted
02-26 | longer      | 1     | consent    | cc-tr       | 2026-01-10 | expires_on=2026-02-28                               | accepted
02-27 | longer      | 1     | consent    | cc-tr       | 2026-01-10 | expires_on=2026-12-01                               | consent_rewritten
02-26 | moved       | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | moved       | 1     | consent    | oc-tr       | 2026-01-10 | -                                                   | consent_rewritten
02-26 | re-receipt  | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | re-receipt  | 1     | consent    | cc-tr       | 2026-01-10 | receipt_sha256=other                                | consent_rewritten
02-26 | same-rcpt-1 | 1     | consent    | cc-tr       | 2026-01-10 | receipt_sha256=shared                               | receipt_reused
02-26 | same-rcpt-2 | 1     | consent    | cc-tr       | 2026-01-10 | receipt_sha256=shared                               | receipt_reused
02-26 | owns-rcpt   | 1     | consent    | cc-tr       | 2026-01-10 | receipt_sha256=owned                                | accepted
02-26 | owns-rcpt   | 2     | consent    | oc-tr       | 2026-01-10 | receipt_sha256=owned                                | accepted
02-27 | takes-rcpt  | 1     | consent    | cc-tr       | 2026-01-10 | receipt_sha256=owned                                | receipt_reused
02-26 | leaves      | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-28 | leaves      | w     | withdrawal | -           | 2026-02-28 | -                                                   | accepted
02-26 | left-before | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-28 | left-before | w     | withdrawal | -           | 2026-02-27 | expires_on=x withdrawn_on=y                         | accepted
02-26 | narrows     | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-26 | narrows     | 2     | consent    | cc-co       | 2026-01-10 | -                                                   | accepted
02-26 | narrows     | 3     | consent    | oc-tr       | 2026-01-10 | -                                                   | accepted
02-26 | narrows     | 4     | consent    | mo-tf       | 2026-01-10 | -                                                   | accepted
02-27 | narrows     | w1    | withdrawal | only-court  | 2026-02-27 | -                                                   | accepted
02-28 | narrows     | w2    | withdrawal | only-tr-ol  | 2026-02-28 | -                                                   | accepted
03-01 | narrows     | w3    | withdrawal | only-cc     | 2026-03-01 | -                                                   | accepted
02-26 | returns     | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | returns     | w     | withdrawal | -           | 2026-02-27 | -                                                   | accepted
02-27 | returns     | 2     | consent    | oc-tr       | 2026-02-27 | -                                                   | accepted
02-28 | returns     | 3     | consent    | cc-tr       | 2026-02-28 | -                                                   | accepted
02-26 | garbled     | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-26 | garbled     | 2     | consent    | mo-tf       | 2026-01-10 | -                                                   | accepted
02-27 | garbled     | w     | withdrawal | only-st     | 27.2.2026  | -                                                   | bad_type
03-01 | garbled     | w     | withdrawal | only-st     | 2026-02-27 | -                                                   | accepted
02-26 | typo        | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | typo        | w     | withdrawal | only-typo   | 2026-02-27 | -                                                   | unknown_value
02-26 | nameless    | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | nameless    | w     | withdrawal | -           | 2026-02-27 | family_name=Other                                   | accepted
02-26 | keyless     | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | keyless     | w     | withdrawal | -           | 2026-02-27 | consent_id=                                         | missing_required
02-26 | q-death     | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | q-death     | d     | death      | -           | 2026-02-27 | revised_at=                                         | missing_required
02-26 | q-erasure   | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | q-erasure   | e     | erasure    | -           | 2026-02-27 | revised_at=soon                                     | bad_type
02-26 | q-consent   | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | q-consent   | 1     | consent    | cc-tr       | 2026-01-10 | withdrawn_on=27.2.                                  | bad_type
03-01 | q-consent   | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-26 | q-access    | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | q-access    | a     | access     | -           | soon       | -                                                   | bad_type
02-26 | disputed-c  | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-26 | feb-28      | 1     | consent    | mo-tf       | 2026-01-10 | birth_date=2008-02-28                               | accepted
02-26 | feb-29      | 1     | consent    | mo-tf       | 2026-01-10 | birth_date=2008-02-29                               | accepted
02-26 | mar-1       | 1     | consent    | mo-tf       | 2026-01-10 | birth_date=2008-03-01                               | accepted
02-26 | dies        | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-28 | dies        | d     | death      | -           | 2026-02-20 | -                                                   | accepted
02-26 | erased      | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-28 | erased      | e     | erasure    | only-typo   | 2026-02-27 | -                                                   | accepted
03-01 | erased      | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | erased
03-01 | erased      | 2     | consent    | cc-tr       | 2026-03-01 | receipt_sha256=erased.1                             | erased
03-02 | erased      | 3     | consent    | cc-tr       | 2026-03-02 | -                                                   | accepted
02-26 | married     | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | married     | 2     | consent    | oc-tr       | 2026-01-10 | family_name=Kovač                                   | accepted
02-28 | married     | 3     | consent    | mo-tf       | 2026-01-10 | given_name=Eva                                      | accepted
02-26 | contested   | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-28 | contested   | 2     | consent    | oc-tr       | 2026-01-10 | birth_date=1980-01-02                               | identity_conflict
02-26 | two-births  | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | identity_conflict
02-26 | two-births  | 2     | consent    | oc-tr       | 2026-01-10 | birth_date=1980-01-02                               | identity_conflict
02-27 | two-births  | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-26 | spelled     | 1     | consent    | cc-tr       | 2026-01-10 | family_name=Strauß-Žižek                            | accepted
02-26 | spelled     | 2     | consent    | oc-tr       | 2026-01-10 | family_name=STRAUSS_ZIZEK                           | accepted
02-26 | asks        | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-27 | asks        | a     | access     | -           | 2026-02-27 | -                                                   | accepted
02-26 | thin        | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-26 | old         | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-26 | silent      | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-26 | optional    | 1     | consent    | cc-co       | 2026-01-10 | -                                                   | accepted
02-26 | driver      | 1     | consent    | mo-tf       | 2026-01-10 | -                                                   | accepted
02-26 | student     | 1     | consent    | st-ed       | 2026-02-01 | -                                                   | accepted
02-26 | student     | 2     | consent    | st-tr       | 2026-02-01 | -                                                   | accepted
02-26 | struck      | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-26 | all-sources | 1     | consent    | cc-tr       | 2026-01-10 | -                                                   | accepted
02-26 | all-sources | 2     | consent    | cc-tax      | 2026-01-10 | -                                                   | accepted
02-26 | all-sources | 3     | consent    | cc-co       | 2026-01-10 | -                                                   | accepted
"""
# who | application | 26 27 28 1 2
DUE = """
who         | recipient            | scores
plain       | demo-lender          | sssss
starts      | demo-lender          | .ssss
ends        | demo-lender          | ss...
shortened   | demo-lender          | sss..
short-late  | demo-lender          | ss...
ahead       | demo-lender          | ss...
withdrawn   | demo-lender          | ss...
withdrawing | demo-lender          | sss..
delayed     | demo-lender          | s....
late-end    | demo-lender          | s....
a-year      | demo-lender          | sssss
since       | demo-student-finance | aaaaa
old-pair    | demo-student-finance | sssss
new-pair    | demo-student-finance | sssss
longer      | demo-lender          | sss..
moved       | demo-lender          | sssss
re-receipt  | demo-lender          | sssss
owns-rcpt   | demo-lender          | sssss
owns-rcpt   | other-lender         | sssss
leaves      | demo-lender          | ss...
left-before | demo-lender          | ss...
narrows     | demo-lender          | sss..
narrows     | other-lender         | ss...
narrows     | demo-insurer         | sssss
returns     | demo-lender          | s.sss
garbled     | demo-lender          | s..ss
garbled     | demo-insurer         | s..ss
typo        | demo-lender          | s....
nameless    | demo-lender          | s....
keyless     | demo-lender          | s....
q-death     | demo-lender          | s....
q-erasure   | demo-lender          | s....
q-consent   | demo-lender          | s..ss
q-access    | demo-lender          | sssss
disputed-c  | demo-lender          | s..ss
feb-28      | demo-insurer         | ..sss
feb-29      | demo-insurer         | ..sss
mar-1       | demo-insurer         | ...ss
dies        | demo-lender          | ss...
erased      | demo-lender          | ss..a
married     | demo-lender          | sssss
married     | other-lender         | .ssss
married     | demo-insurer         | ..sss
contested   | demo-lender          | ss...
two-births  | demo-lender          | .ssss
spelled     | demo-lender          | sssss
spelled     | other-lender         | sssss
asks        | demo-lender          | sssss
thin        | demo-lender          | ttttt
old         | demo-lender          | ttttt
silent      | demo-lender          | aaaaa
driver      | demo-insurer         | sssss
student     | demo-student-finance | sssss
struck      | demo-lender          | stsss
all-sources | demo-lender          | sssss
"""
# sources_used where they are not the required one alone
SOURCES = """
who         | recipient            | 02-26                  | 02-27                  | 02-28                  | 03-01                  | 03-02
narrows     | demo-lender          | court+transactions     | transactions           | transactions           | .                      | .
plain       | demo-lender          | transactions           | transactions           | transactions           | transactions           | transactions
old         | demo-lender          | transactions           | transactions           | transactions           | transactions           | transactions
silent      | demo-lender          | -                      | -                      | -                      | -                      | -
since       | demo-student-finance | -                      | -                      | -                      | -                      | -
driver      | demo-insurer         | traffic                | traffic                | traffic                | traffic                | traffic
student     | demo-student-finance | education+transactions | education+transactions | education+transactions | education+transactions | education+transactions
old-pair    | demo-student-finance | education              | education              | education              | education              | education
new-pair    | demo-student-finance | education              | education+tax          | education+tax          | education+tax          | education+tax
all-sources | demo-lender          | court+transactions     | court+transactions     | court+tax+transactions | court+tax+transactions | court+tax+transactions
"""
# the persons whose bookings are other than one a month since November
BOOKINGS = {"thin": ("2026-01-05", "2026-02-05"), "old": ("2024-01-05", "2024-02-05", "2024-03-05", "2024-04-05"), "silent": (), "since": (), "before": (), "driver": (), "feb-28": (), "feb-29": (), "mar-1": ()}  # fmt: skip
FAMILY_NAMES = {"spelled": "Strauss Zizek"}
# of these persons a sound judgment J-<who> is delivered on the first night; states a night, and the cause in the end
ENTRIES = """
who         | states | cause
dies        | IIBBB  | deceased
erased      | IIE..  | erasure
contested   | IIBBB  | correction
q-death     | IBBBB  | correction
q-erasure   | IBBBB  | correction
leaves      | IIIII  | -
married     | IIIII  | -
"""
