"""Orders at every edge of RULES ("Dates", "Orders", "Doubt"): what is delivered, and the state due on each night.

``given`` differs from a sound order of the kind; ``then`` are later revisions by delivery day. ``states`` has a letter a
night (LETTERS), ``counts`` what the scores read of the record: ``u`` an unsatisfied judgment, ``p`` a satisfied one, ``1``
counted, ``0`` not, ``s`` suspended (its characteristic is neutral).
"""

LETTERS = {
    "A": "set_aside",
    "S": "satisfied",
    "X": "expired",
    "N": "incomplete",
    "B": "in_doubt",
    "D": "disputed",
    "T": "stayed",
    "P": "appealed",
    "U": "unserved",
    "O": "objection_open",
    "I": "in_force",
    ".": None,
}
# kind: feed, kind in the feed, register, authority
KINDS = {
    "mj": ("court", "money_judgment", "judgment_debts", "Demo Court"),
    "ins": ("court", "insolvency", "insolvencies", "Demo Court"),
    "dir": ("court", "director_disqualification", "director_disqualifications", "Demo Court"),
    "deb": ("court", "procurement_debarment", "procurement_debarments", "Demo Court"),
    "tax": ("tax", "final_determination", "tax_debts", "Demo Tax Office"),
    "ban": ("traffic", "driving_disqualification", "driving_disqualifications", "Demo Traffic Police"),
    "pts": ("traffic", "penalty_points", None, "Demo Traffic Police"),
}
# nights:                                                                        26 27 28 1 2
ORDERS = """
case            | kind | given                                      | then                                       | states | counts
sound           | mj   | -                                          | -                                          | IIIII  | uuuuu
expires         | mj   | expires_on=2026-02-27                      | -                                          | IIXXX  | uu000
statute         | mj   | ordered_on=2020-02-28                      | -                                          | IIXXX  | uuuuu
statute-leap    | mj   | ordered_on=2020-02-29                      | -                                          | IIXXX  | uuuuu
statute-march   | mj   | ordered_on=2020-03-01                      | -                                          | IIIXX  | uuuuu
earlier-end     | mj   | ordered_on=2020-02-28 expires_on=2026-02-26 | -                                         | IXXXX  | u0000
later-end       | mj   | ordered_on=2020-02-28 expires_on=2028-01-01 | -                                         | IIXXX  | uuuuu
seven-years     | mj   | ordered_on=2019-02-28                      | -                                          | XXXXX  | uu000
seven-march     | mj   | ordered_on=2019-03-01                      | -                                          | XXXXX  | uuu00
seven-paid      | mj   | ordered_on=2019-02-28 satisfied_on=2020-01-01 | -                                       | SSSSS  | pp000
stay            | mj   | stayed_from=2026-02-27 stayed_until=2026-02-28 | -                                      | ITTII  | u00uu
stay-until      | mj   | stayed_until=2026-02-28                    | -                                          | TTTII  | 000uu
stay-from       | mj   | stayed_from=2026-02-28                     | -                                          | IITTT  | uu000
stay-over       | mj   | stayed_from=2026-01-01 stayed_until=2026-02-25 | -                                      | IIIII  | uuuuu
appeal          | mj   | -                                          | 02-27 appeal_lodged_on=2026-02-27          | IPPPP  | u0000
appeal-lost     | mj   | appeal_lodged_on=2026-02-01                | 03-01 appeal_decided_on=2026-03-01 appeal_outcome=dismissed | PPPII | 000uu
appeal-won      | mj   | appeal_lodged_on=2026-02-01                | 03-01 appeal_decided_on=2026-03-01 appeal_outcome=allowed   | PPPAA | 00000
appeal-varied   | mj   | appeal_lodged_on=2026-02-01                | 03-01 appeal_decided_on=2026-03-01 appeal_outcome=varied    | PPPPP | 00000
varied-mended   | mj   | appeal_lodged_on=2026-01-01 appeal_decided_on=2026-02-01 appeal_outcome=varied | 03-01 appeal_lodged_on= appeal_decided_on= appeal_outcome= debt_minor=5000 | PPPII | 000uu
appeal-silent   | mj   | appeal_lodged_on=2026-02-01 appeal_decided_on=2026-02-10 | -                            | PPPPP  | 00000
appeal-undated  | mj   | appeal_lodged_on=2026-02-01 appeal_outcome=dismissed | -                                | PPPPP  | 00000
appeal-again    | mj   | appeal_lodged_on=2026-02-11 appeal_decided_on=2026-02-10 appeal_outcome=dismissed | -   | PPPPP  | 00000
appeal-re-won   | mj   | appeal_lodged_on=2026-02-11 appeal_decided_on=2026-02-10 appeal_outcome=allowed | -     | PPPPP  | 00000
appeal-one-day  | mj   | appeal_lodged_on=2026-02-10 appeal_decided_on=2026-02-10 appeal_outcome=dismissed | -   | IIIII  | uuuuu
only-won        | mj   | appeal_decided_on=2026-02-10 appeal_outcome=allowed | -                                 | AAAAA  | 00000
only-lost       | mj   | appeal_decided_on=2026-02-10 appeal_outcome=dismissed | -                               | IIIII  | uuuuu
only-varied     | mj   | appeal_decided_on=2026-02-10 appeal_outcome=varied | -                                  | PPPPP  | 00000
only-decided    | mj   | appeal_decided_on=2026-02-10               | -                                          | PPPPP  | 00000
only-outcome    | mj   | appeal_outcome=varied                      | -                                          | PPPPP  | 00000
unserved        | mj   | served_on=                                 | -                                          | UUUUU  | 00000
served-later    | mj   | served_on= objection_until=                | 02-27 served_on=2026-02-27 objection_until=2026-02-27 | UOIII | 00uuu
objection       | mj   | objection_until=2026-02-27                 | -                                          | OOIII  | 00uuu
objection-none  | mj   | objection_until=                           | -                                          | OOOOO  | 00000
paid            | mj   | -                                          | 02-28 satisfied_on=2026-02-28              | IISSS  | uuppp
annulled        | mj   | -                                          | 02-28 set_aside_on=2026-02-28              | IIAAA  | uu000
both            | mj   | set_aside_on=2026-02-01 satisfied_on=2026-01-01 | -                                     | AAAAA  | 00000
nothing-owed    | mj   | debt_minor=0 authority=                    | -                                          | SSSSS  | 00000
less-owed       | mj   | debt_minor=-5                              | -                                          | SSSSS  | ppppp
debt-unknown    | mj   | debt_minor=                                | -                                          | NNNNN  | 00000
debt-known      | mj   | debt_minor=                                | 02-28 debt_minor=700                       | NNIII  | 00uuu
debt-cleared    | mj   | -                                          | 02-28 debt_minor=0                         | IISSS  | uuppp
stranger-court  | mj   | authority=Other_Court                      | -                                          | NNNNN  | 00000
no-authority    | mj   | authority=                                 | -                                          | NNNNN  | 00000
no-basis        | mj   | legal_basis=                               | -                                          | NNNNN  | 00000
no-day          | mj   | ordered_on=                                | -                                          | NNNNN  | 00000
lapsed-nameless | mj   | authority= expires_on=2026-02-27           | -                                          | NNXXX  | 00000
lacking-later   | mj   | -                                          | 02-28 legal_basis=                         | IINNN  | uu000
amended         | mj   | -                                          | 02-27 debt_minor=5                         | IIIII  | uuuuu
late-version    | mj   | satisfied_on=2026-02-01 revised_at=2026-02-01T10:00:00Z | 02-28 satisfied_on= revised_at=2026-01-01T10:00:00Z | SSSSS | ppppp
ins-ten         | ins  | ordered_on=2016-02-29                      | -                                          | IIXXX  | 11000
ins-ten-march   | ins  | ordered_on=2016-03-01                      | -                                          | IIIXX  | 11100
ins-discharged  | ins  | -                                          | 02-28 satisfied_on=2026-02-28              | IISSS  | 11000
ins-no-debt     | ins  | debt_minor=                                | -                                          | IIIII  | 11111
director        | dir  | expires_on=2026-02-28                      | -                                          | IIIXX  | 00000
director-open   | dir  | expires_on=                                | -                                          | NNNNN  | 00000
director-15     | dir  | ordered_on=2011-02-28                      | -                                          | IIXXX  | 00000
debarred        | deb  | -                                          | -                                          | IIIII  | 00000
debarred-5      | deb  | ordered_on=2021-02-28                      | -                                          | IIXXX  | 00000
debarred-open   | deb  | expires_on=                                | -                                          | NNNNN  | 00000
tax-sound       | tax  | -                                          | -                                          | IIIII  | 11111
tax-paid        | tax  | -                                          | 02-28 status=paid                          | IISSS  | 11000
tax-arrears     | tax  | -                                          | 02-28 status=arrears                       | IIAAA  | 11000
tax-instalments | tax  | -                                          | 02-28 status=instalments                   | IIAAA  | 11000
tax-back        | tax  | -                                          | 02-28 status=assessed; 03-01 status=final_determination | IIAII | 11011
tax-assessed    | tax  | status=assessed                            | -                                          | .....  | 00000
tax-was-final   | tax  | status=assessed                            | 02-27 status=final_determination revised_at=2025-01-01T10:00:00Z | .AAAA | 00000
tax-became      | tax  | status=assessed                            | 02-27 status=final_determination           | .IIII  | 01111
tax-zero        | tax  | debt_minor=0                               | -                                          | SSSSS  | 00000
tax-unknown     | tax  | debt_minor=                                | -                                          | NNNNN  | 00000
tax-court       | tax  | authority=Demo_Court                       | -                                          | NNNNN  | 00000
tax-seven       | tax  | ordered_on=2019-02-28                      | -                                          | IIIII  | 11000
tax-ten         | tax  | ordered_on=2016-02-28                      | -                                          | IIXXX  | 00000
ban-sound       | ban  | -                                          | -                                          | IIIII  | 11111
ban-ends        | ban  | expires_on=2026-02-27                      | -                                          | IIXXX  | 11000
ban-open        | ban  | expires_on=                                | -                                          | NNNNN  | 00000
ban-court       | ban  | authority=Demo_Court                       | -                                          | NNNNN  | 00000
ban-serious-5   | ban  | severity=serious ordered_on=2021-02-28     | -                                          | IIIII  | 11000
ban-minor-3     | ban  | severity=minor ordered_on=2023-02-28       | -                                          | IIIII  | 11000
pts-minor-3     | pts  | severity=minor ordered_on=2023-02-28       | -                                          | .....  | 11000
pts-minor-march | pts  | severity=minor ordered_on=2023-03-01       | -                                          | .....  | 11100
pts-serious-5   | pts  | severity=serious ordered_on=2021-02-28     | -                                          | .....  | 11000
pts-unserved    | pts  | served_on=                                 | -                                          | .....  | 00000
pts-appealed    | pts  | -                                          | 02-27 appeal_lodged_on=2026-02-27          | .....  | 10000
pts-stayed      | pts  | stayed_from=2026-02-28                     | -                                          | .....  | 11000
pts-other       | pts  | authority=Demo_Court                       | -                                          | .....  | 00000
pts-expired     | pts  | expires_on=2026-02-27                      | -                                          | .....  | 11000
d-open          | mj   | -                                          | -                                          | IDDDD  | ussss
d-rejected      | mj   | -                                          | -                                          | IDDII  | ussuu
d-upheld        | mj   | -                                          | -                                          | IDDAA  | uss00
d-recertified   | mj   | -                                          | 03-02 debt_minor=99                        | DDAAI  | ss00u
d-uncertified   | mj   | -                                          | 03-02 debt_minor=99                        | DDAAA  | ss000
d-corrected     | mj   | -                                          | 03-01 debt_minor=99                        | DDDII  | sssuu
d-uncorrected   | mj   | -                                          | -                                          | DDDDD  | sssss
d-no-outcome    | mj   | -                                          | -                                          | DDDDD  | sssss
d-clock         | mj   | -                                          | -                                          | DDAAA  | ss000
d-extended      | mj   | -                                          | -                                          | DDDDD  | sssss
d-extended-out  | mj   | -                                          | -                                          | DDAAA  | ss000
d-late-answer   | mj   | -                                          | -                                          | AAAAA  | 00000
d-again         | mj   | -                                          | -                                          | IIIII  | uuuuu
d-again-kind    | mj   | -                                          | -                                          | IIIII  | uuuuu
d-again-cert    | mj   | -                                          | -                                          | IDDDD  | ussss
d-afresh        | mj   | -                                          | 02-28 debt_minor=99                        | IIIDD  | uuuss
d-other-person  | mj   | -                                          | -                                          | IIIII  | uuuuu
d-unserved      | mj   | served_on=                                 | -                                          | DDDDD  | 00000
d-stayed        | mj   | stayed_from=2026-02-01                     | -                                          | DDDDD  | 00000
d-tax           | tax  | -                                          | -                                          | IDDDD  | 1ssss
d-ban           | ban  | -                                          | -                                          | IDDDD  | 1ssss
d-pts           | pts  | -                                          | -                                          | .....  | 1ssss
d-unread        | mj   | -                                          | -                                          | IDDDD  | ussss
d-unread-mended | mj   | -                                          | -                                          | IDDDI  | usssu
d-unread-reject | mj   | -                                          | -                                          | IIIII  | uuuuu
q-paid          | mj   | -                                          | 02-27 satisfied_on=27.2.2026; 03-01 satisfied_on= | IBBII | ussuu
q-paid-mended   | mj   | -                                          | 02-27 satisfied_on=27.2.2026; 03-01 satisfied_on=2026-02-27 revised_at=2026-02-27T05:00:00Z | IBBSS | usspp
q-dropped       | mj   | -                                          | 02-27 satisfied_on=27.2.2026; 03-01 satisfied_on= revised_at=2026-02-27T05:00:00Z debt_minor=9 | IBBII | ussuu
q-late-version  | mj   | -                                          | 02-27 satisfied_on=27.2.2026; 03-01 satisfied_on= revised_at=2026-01-05T05:00:00Z debt_minor=9 | IBBBB | ussss
q-future        | mj   | -                                          | 02-27 satisfied_on=2026-04-01              | IBBBB  | ussss
q-future-rev    | mj   | -                                          | 02-27 satisfied_on=2026-02-27 revised_at=2036-02-27T05:00:00Z; 03-01 satisfied_on= debt_minor=9 | IBBII | ussuu
q-annulled      | mj   | -                                          | 02-27 set_aside_on=2026-02-27 currency=USD | IBBBB  | ussss
q-stayed        | mj   | -                                          | 02-27 stayed_from=2026-02-27 stayed_until=2026-02-20 | IBBBB | ussss
q-appealed      | mj   | -                                          | 02-27 appeal_lodged_on=2026-02-27 debt_minor=1,000.50 | IBBBB | ussss
q-other-cell    | mj   | -                                          | 02-27 objection_until=x                    | IIIII  | uuuuu
q-known         | mj   | appeal_lodged_on=2026-01-01 appeal_decided_on=2026-01-10 appeal_outcome=dismissed | 02-27 appeal_lodged_on=x | IIIII | uuuuu
q-older         | mj   | -                                          | 02-27 satisfied_on=x revised_at=2025-01-01T00:00:00Z | IIIII | uuuuu
q-ambiguous     | mj   | -                                          | 02-27 satisfied_on=2026-02-27 revised_at=2025-08-01T10:00:00Z | IBBBB | ussss
q-tax           | tax  | -                                          | 02-27 satisfied_on=x                       | IBBBB  | 1ssss
q-ban           | ban  | -                                          | 02-27 set_aside_on=x                       | IBBBB  | 1ssss
q-pts           | pts  | -                                          | 02-27 set_aside_on=x                       | .....  | 1ssss
q-unserved      | mj   | served_on=                                 | 02-27 set_aside_on=x                       | UBBBB  | 00000
"""
DISPUTES = """
case           | id | delivered | kind       | opened_on  | resolved_on | outcome   | certified_by
d-open         | 1  | 02-27     | inaccurate | 2026-02-27 | -           | -         | -
d-rejected     | 1  | 02-27     | inaccurate | 2026-02-27 | -           | -         | -
d-rejected     | 1  | 03-01     | inaccurate | 2026-02-27 | 2026-03-01  | rejected  | -
d-upheld       | 1  | 02-27     | not_me     | 2026-02-27 | -           | -         | -
d-upheld       | 1  | 03-01     | not_me     | 2026-02-27 | 2026-03-01  | upheld    | -
d-recertified  | 1  | 02-26     | inaccurate | 2026-02-20 | -           | -         | -
d-recertified  | 1  | 02-28     | inaccurate | 2026-02-20 | 2026-02-28  | upheld    | -
d-recertified  | 1  | 03-02     | inaccurate | 2026-02-20 | 2026-02-28  | upheld    | Registrar
d-uncertified  | 1  | 02-26     | inaccurate | 2026-02-20 | -           | -         | -
d-uncertified  | 1  | 02-28     | inaccurate | 2026-02-20 | 2026-02-28  | upheld    | -
d-corrected    | 1  | 02-26     | inaccurate | 2026-02-20 | -           | -         | -
d-corrected    | 1  | 02-28     | inaccurate | 2026-02-20 | 2026-02-28  | corrected | -
d-uncorrected  | 1  | 02-26     | inaccurate | 2026-02-20 | 2026-02-25  | corrected | -
d-no-outcome   | 1  | 02-26     | inaccurate | 2026-02-20 | 2026-02-25  | -         | -
d-clock        | 1  | 02-26     | obsolete   | 2026-01-29 | -           | -         | -
d-extended     | 1  | 02-26     | obsolete   | 2026-01-29 | -           | -         | -
d-extended-out | 1  | 02-26     | obsolete   | 2026-01-14 | -           | -         | -
d-late-answer  | 1  | 02-26     | inaccurate | 2026-01-10 | -           | -         | -
d-late-answer  | 1  | 02-28     | inaccurate | 2026-01-10 | 2026-02-28  | rejected  | -
d-again        | 1  | 02-26     | inaccurate | 2026-02-01 | 2026-02-20  | rejected  | -
d-again        | 2  | 02-27     | inaccurate | 2026-02-27 | -           | -         | -
d-again-kind   | 1  | 02-26     | inaccurate | 2026-02-01 | 2026-02-20  | rejected  | -
d-again-kind   | 2  | 02-27     | not_me     | 2026-02-27 | -           | -         | -
d-again-cert   | 1  | 02-26     | inaccurate | 2026-02-01 | 2026-02-20  | rejected  | -
d-again-cert   | 2  | 02-27     | inaccurate | 2026-02-27 | -           | -         | Ombudsman
d-afresh       | 1  | 02-26     | inaccurate | 2026-02-01 | 2026-02-20  | rejected  | -
d-afresh       | 2  | 03-01     | inaccurate | 2026-03-01 | -           | -         | -
d-other-person | 1  | 02-27     | not_me     | 2026-02-27 | -           | -         | -
d-unserved     | 1  | 02-26     | inaccurate | 2026-02-20 | -           | -         | -
d-stayed       | 1  | 02-26     | inaccurate | 2026-02-20 | -           | -         | -
d-tax          | 1  | 02-27     | inaccurate | 2026-02-27 | -           | -         | -
d-ban          | 1  | 02-27     | inaccurate | 2026-02-27 | -           | -         | -
d-pts          | 1  | 02-27     | inaccurate | 2026-02-27 | -           | -         | -
d-unread       | 1  | 02-27     | inaccurate | 27.2.2026  | -           | -         | -
d-unread-mended | 1 | 02-27     | mistaken   | 2026-02-27 | -           | -         | -
d-unread-mended | 1 | 03-01     | inaccurate | 2026-02-27 | -           | -         | -
d-unread-mended | 1 | 03-02     | inaccurate | 2026-02-27 | 2026-03-02  | rejected  | -
d-unread-reject | 1 | 02-27     | mistaken   | 2026-02-01 | 2026-02-20  | rejected  | -
"""
EXTENDED = ("d-extended.1", "d-extended-out.1")
NOT_OF_THE_RECORD = ("d-other-person",)
