"""Usage, reconciled: what passed here, what the modem counted, what the operator claims.

::

    claim     reads an operator's words: how much is used, how much is left
    ask       asks the operator over the modem, once the user has allowed it
    ussd      by a code
    sms       by a message
    inbox     the messages that come for an answer, and no others
    compare   puts the sides together as observations, and says what follows
"""
